"""`python -m bench.demo`: compile the metrics, train with each loss on several seeds, print the tables."""

from __future__ import annotations

import time

import click
from rich.console import Console

from bench.core.losses import compile_metrics
from bench.core.pool import train_all
from bench.core.tuning import grid_text
from bench.demo.learning import COMMAND, GRID, LOSSES, SEEDS, runs, tune
from bench.demo.report import LEGEND, table
from bench.tasks.demo import TASKS

QUICK_EPOCHS = 2


@click.command()
@click.option("--seeds", default=5, show_default=True, help="How many seeds; each splits the data anew.")
@click.option("--quick", is_flag=True, help=f"Two seeds, {QUICK_EPOCHS} epochs: to see that everything runs.")
@click.option(
    "--task", "metrics", multiple=True, type=click.Choice([task.key for task in TASKS]), help="Only this task."
)
@click.option("--workers", default=None, type=int, help="Processes to train in; one a core unless given.")
@click.option("--tune", "tuning", is_flag=True, help="Choose the learning rates again instead (takes several minutes).")
@click.option(
    "--loss", "losses", multiple=True, type=click.Choice(LOSSES), help="With --tune: only this loss (repeatable)."
)
def main(
    seeds: int, quick: bool, metrics: tuple[str, ...], workers: int | None, tuning: bool, losses: tuple[str, ...]
) -> None:
    """Compile the metrics, train with the hand-made and the compiled losses, compare."""
    start = time.perf_counter()
    console = Console()
    tasks = [task for task in TASKS if task.key in metrics or not metrics]
    compilation = compile_metrics(tasks)
    console.print(f"[bold]$ {compilation.command}")
    console.print(compilation.output, highlight=False, markup=False)
    if tuning:
        tune(console, workers, tasks, losses or LOSSES)
        return
    seeds = 2 if quick else seeds
    outcomes = train_all(runs(tasks, seeds, QUICK_EPOCHS if quick else None), console, workers)
    for task in tasks:
        console.print(table(task, outcomes))
    console.print(LEGEND, highlight=False)
    console.print(
        f"Mean ± standard error over {seeds} seeds; differences are paired by seed. "
        f"Every loss has its own learning rate, chosen from the same grid ({grid_text(GRID)}; wider where the best was on "
        f"its edge) on the validation data of seeds {SEEDS[0]}-{SEEDS[-1]}, once, by `{COMMAND}`. "
        f"Took {time.perf_counter() - start:.0f} s.",
        highlight=False,
    )


if __name__ == "__main__":
    main()

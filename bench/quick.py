"""`python -m bench.quick`: a quick version of every task, an epoch of every hand-made loss and of the default."""

from __future__ import annotations

import time
from pathlib import Path

import click
from rich.console import Console

from bench.core.losses import ROOT, compile_metrics
from bench.core.pool import train_all
from bench.core.record import Run
from bench.core.sweep import losses_of
from bench.tasks import groups

RATE = 1e-2


@click.command()
@click.option(
    "--group",
    "wanted",
    multiple=True,
    help="Only this one of demo, descent, development, learning, paper (repeatable).",
)
@click.option("--workers", default=None, type=int, help="Processes; one a core unless given.")
@click.option("--out", default=ROOT / "build" / "quick", type=click.Path(path_type=Path), help="Folder of the JSON.")
def main(wanted: tuple[str, ...], workers: int | None, out: Path) -> None:
    """Train every task for one epoch with each loss, and say how long it took."""
    start = time.perf_counter()
    console = Console()
    tasks = [task for name, group in groups().items() for task in group if name in wanted or not wanted]
    compile_metrics(tasks)
    runs = [Run(task.key, loss, RATE, 0, epochs=1) for task in tasks for loss in losses_of(task, ("integrated",))]
    outcomes = train_all(runs, console, workers, "quick", out)
    broken = [f"{o.run.task}, {o.run.loss}: {o.failure}" for o in outcomes if o.failure is not None]
    console.print(*broken, sep="\n")
    taken = time.perf_counter() - start
    console.print(f"{len(tasks)} tasks, {len(runs)} runs, {taken:.0f} s; those in {out} before were not made again")


if __name__ == "__main__":
    main()

"""`python -m bench TASK`: train one task with the losses named, on several seeds, a JSON a run."""

from __future__ import annotations

from pathlib import Path

import click
import torch
from rich.console import Console
from rich.table import Table

from bench.core.losses import compile_metrics
from bench.core.names import INTERPOLANTS, parse
from bench.core.pool import train_all
from bench.core.record import Outcome, Run
from bench.core.statistics import estimate
from bench.core.task import BUNDLED, Task
from bench.core.unknown import UnknownName
from bench.tasks import groups, named

DEFAULT = ("integrated", "idw", "pull")
DEFAULT_RATE = 1e-3


@click.command()
@click.argument("task_key", metavar="TASK|list")
@click.option("--data", default=BUNDLED, show_default=True, metavar="PATH|bundled", help="A folder with the data set.")
@click.option(
    "--loss", "losses", default="", metavar="NAME,...", help="Default: the hand-made ones and the usual three."
)
@click.option("--seeds", default=5, show_default=True, help="How many; each splits the data anew.")
@click.option("--lr", "rates", default=f"{DEFAULT_RATE:g}", show_default=True, metavar="RATE,...")
@click.option("--epochs", default=None, type=int, help="The task's own number unless given.")
@click.option(
    "--out", default="build/runs", show_default=True, type=click.Path(path_type=Path), help="Folder of the JSON."
)
@click.option("--workers", default=None, type=int, help="Processes; one a core unless given.")
@click.option("--device", default="cpu", show_default=True)
def main(
    task_key: str,
    data: str,
    losses: str,
    seeds: int,
    rates: str,
    epochs: int | None,
    out: Path,
    workers: int | None,
    device: str,
) -> None:
    """Train TASK with each loss, rate and seed. Runs that lie in --out already are not made again; `list` shows the tasks."""
    console = Console()
    if task_key == "list":
        console.print(listing())
        return
    try:
        task = named(task_key).on(data)
        names = [name.strip() for name in losses.split(",") if name.strip()] or [*task.handmade, *DEFAULT]
        for name in names:
            parse(task, name)
    except UnknownName as error:
        raise click.UsageError(str(error)) from None
    chosen = learning_rates(rates)
    if device != "cpu" and not torch.cuda.is_available():
        raise click.UsageError(f"--device {device}: torch finds no CUDA device here")
    if not task.handmade.keys() >= set(names):
        compilation = compile_metrics([task])
        console.print(f"[bold]$ {compilation.command}")
        console.print(compilation.output, highlight=False, markup=False)
    runs = [
        Run(task.key, name, rate, seed, epochs, data, device)
        for seed in range(seeds)
        for name in names
        for rate in chosen
    ]
    console.print(table(task, train_all(runs, console, workers, folder=out)))
    console.print(f"{len(runs)} runs in {out}", highlight=False)


def learning_rates(text: str) -> list[float]:
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        raise click.UsageError(f"--lr takes numbers separated by commas, not {text!r}") from None
    if not all(rate > 0 for rate in found):
        raise click.UsageError(f"a learning rate is positive, unlike one of {text}")
    return found


def listing() -> Table:
    """Every task with its hand-made losses."""
    result = Table("group", "task", "metric", "hand-made losses", "what")
    for group, members in groups().items():
        for task in members:
            result.add_row(group, task.key, task.metric, ", ".join(task.handmade), task.title)
    result.caption = (
        f"compiled losses: {', '.join(INTERPOLANTS)}; with -margin or -margin-lse; FIRST+SECOND-equal|late|gradual"
    )
    return result


def table(task: Task, outcomes: list[Outcome]) -> Table:
    """A row a loss and learning rate."""
    result = Table(title=task.title, title_justify="left", title_style="bold")
    for column in ("loss", "rate", "validation", "test", "ms a step", "broke down"):
        result.add_column(column, justify="left" if column == "loss" else "right")
    for loss, rate in dict.fromkeys((o.run.loss, o.run.learning_rate) for o in outcomes):
        own = [o for o in outcomes if (o.run.loss, o.run.learning_rate) == (loss, rate)]
        shown = [
            estimate(values).text() if values else "–"
            for values in (
                [o.validation for o in own if o.validation is not None],
                [o.test for o in own if o.test is not None],
            )
        ]
        milliseconds = f"{sorted(o.milliseconds for o in own)[len(own) // 2]:.1f}"
        broken = sum(o.failure is not None for o in own)
        result.add_row(loss, f"{rate:g}", *shown, milliseconds, str(broken or ""))
    return result


if __name__ == "__main__":
    main()

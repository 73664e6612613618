"""`python -m bench.estimate`: how long the papers' full runs would take here, from a few steps of each on random data of their shapes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import click
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from bench.core.losses import ROOT, compile_metrics, criterion_of
from bench.core.task import Task
from bench.core.training import device_name, versions
from bench.tasks import named

RESULT = ROOT / "bench" / "runs" / "estimate.json"
LOSSES = ("integrated", "idw", "idw-fifth")


@dataclass(frozen=True)
class Full:
    """One run of a paper: which task on which files, how many examples, and a batch of the right shape."""

    task: str
    marker: str  # a file by which the task knows its data set
    examples: int
    handmade: str
    batch: Callable[[int], tuple[Tensor, ...]]
    part: int = 1  # so large a part of a batch is measured, and the rest taken to cost as much


def numbers(n: int, classes: int) -> Tensor:
    return torch.arange(n) % classes


def heads(n: int) -> tuple[Tensor, ...]:
    pictures = torch.randint(0, 256, (n, 3, 224, 224), dtype=torch.uint8)
    return pictures, torch.randint(0, 56, (n, 2, 2)), torch.full((n,), 9.0, dtype=torch.float64)


FULL = {
    "AP on MNIST": Full("ap", "", 54_000, "bce", lambda n: (torch.rand(n, 1, 28, 28), (numbers(n, 10) == 0).long())),
    "accuracy on CIFAR-10": Full(
        "accuracy", "test_batch", 45_000, "ce", lambda n: (torch.randn(n, 3, 32, 32), numbers(n, 10))
    ),
    "accuracy on CIFAR-100": Full(
        "accuracy", "test", 45_000, "ce", lambda n: (torch.randn(n, 3, 32, 32), numbers(n, 100))
    ),
    "PCKh on MPII": Full("pose", "", 22_000, "mse-1", heads, part=8),
}


def seconds_a_step(task: Task, loss: str, batch: tuple[Tensor, ...], steps: int) -> float:
    """Median processor time of forward, loss, backward and optimizer, after a first step that is not counted."""
    torch.manual_seed(0)
    network = task.network()
    criterion = criterion_of(task, loss, 1000, 0)
    optimizer = task.optimizer(network.parameters(), 1e-3)
    inputs, *targets = batch
    found = []
    for _ in range(steps + 1):
        start = time.process_time()
        value = criterion(network(inputs), *targets)
        optimizer.zero_grad()
        torch.autograd.backward(value)
        optimizer.step()
        found.append(time.process_time() - start)
    return median(found[1:])


def measure(full: Full, steps: int) -> dict[str, object]:
    with TemporaryDirectory() as folder:
        if full.marker:
            (Path(folder) / full.marker).touch()
        task = named(full.task).on(folder)
    total = full.examples // task.batch_size * task.epochs
    batch = full.batch(task.batch_size // full.part)
    per_step = {loss: full.part * seconds_a_step(task, loss, batch, steps) for loss in (full.handmade, *LOSSES)}
    return {
        "batch": task.batch_size,
        "steps": total,
        "seconds_a_step": {loss: round(value, 4) for loss, value in per_step.items()},
        "hours": {loss: round(value * total / 3600, 2) for loss, value in per_step.items()},
    }


@click.command()
@click.option("--steps", default=3, show_default=True, help="Steps that are counted.")
@click.option("--out", default=RESULT, type=click.Path(path_type=Path), help="The JSON.")
def main(steps: int, out: Path) -> None:
    """Measure on one thread, write the JSON, print the table."""
    torch.set_num_threads(1)
    compile_metrics([named(full.task) for full in FULL.values()])
    found = {name: measure(full, steps) for name, full in FULL.items()}
    body = {"device": f"{device_name('cpu')}, one thread", "steps": steps, "runs": found, "versions": versions()}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    table = Table("full run", "steps", "loss", "s a step", "hours on one core")
    for name, row in found.items():
        for loss, seconds in row["seconds_a_step"].items():  # type: ignore[attr-defined]
            table.add_row(name, str(row["steps"]), loss, f"{seconds:.3f}", f"{row['hours'][loss]:.1f}")  # type: ignore[index]
    Console().print(table)


if __name__ == "__main__":
    main()

"""The demo's losses and learning rates: chosen on validation data of other seeds, kept as JSON beside this file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from bench.core.pool import train_all
from bench.core.record import Run
from bench.core.task import Task
from bench.core.tuning import Scores, best, search
from bench.tasks.demo import TASKS

HANDMADE = "hand-made"
LOSSES = (HANDMADE, "integrated", "idw", "pull")
CHOSEN = Path(__file__).with_name("learning_rates.json")
COMMAND = "python -m bench.demo --tune"
GRID = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
SEEDS = (100, 101, 102, 103, 104, 105)  # none of them is a seed of the demo itself

Rates = dict[tuple[str, str], float]  # task, loss


def name_of(task: Task, loss: str) -> str:
    """The name that a run of this task knows a loss by."""
    return next(iter(task.handmade)) if loss == HANDMADE else loss


def tune(console: Console, workers: int | None, tasks: Sequence[Task], losses: Sequence[str] = LOSSES) -> None:
    """Search those tasks and losses, and write the file; what was not searched stays as it is."""
    keys = {(task.key, name_of(task, loss)): loss for task in tasks for loss in losses}
    train = partial(train_all, console=console, workers=workers, title="tuning")
    write({(task, keys[task, name]): rates for (task, name), rates in search(keys, GRID, SEEDS, train).items()})


def write(scores: Scores) -> None:
    """Keep what was chosen with everything it was chosen from."""
    kept = json.loads(CHOSEN.read_text())["tasks"] if CHOSEN.exists() else {}
    for (task, loss), rates in scores.items():
        entry = {"chosen": best(rates), "validation": {f"{rate:g}": round(rates[rate], 4) for rate in sorted(rates)}}
        kept.setdefault(task, {})[loss] = entry
    text = json.dumps({"command": COMMAND, "seeds": list(SEEDS), "tasks": kept}, indent=2)
    CHOSEN.write_text(text + "\n")


def learning_rates() -> Rates:
    """The committed choice for every task and loss."""
    tasks = json.loads(CHOSEN.read_text())["tasks"]
    return {(task.key, loss): tasks[task.key][loss]["chosen"] for task in TASKS for loss in LOSSES}


def runs(tasks: Sequence[Task], seeds: int, epochs: int | None) -> list[Run]:
    """Every task with every loss at its rate."""
    rates = learning_rates()
    return [
        Run(task.key, name_of(task, loss), rates[task.key, loss], seed, epochs)
        for seed in range(seeds)
        for task in tasks
        for loss in LOSSES
    ]

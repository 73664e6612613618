"""The learning rates of the demo: chosen on validation data of other seeds, kept as JSON beside this file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import mean

from rich.console import Console

from bench.demo.losses import LOSSES
from bench.demo.runs import train_all
from bench.demo.tasks import TASKS
from bench.demo.training import Run

CHOSEN = Path(__file__).with_name("learning_rates.json")
COMMAND = "python -m bench.demo --tune"
GRID = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
WIDER = 10**0.5  # how far the grid grows when the best rate lies on its edge
SEEDS = (100, 101, 102, 103, 104, 105)  # none of them is a seed of the demo itself

Key = tuple[int, str]  # task, loss
Scores = dict[Key, dict[float, float]]  # mean validation metric at each learning rate


def tune(console: Console, workers: int | None, tasks: Iterable[int]) -> None:
    """Search the grid for every task and loss, widen it until every best rate lies inside, and write the file."""
    scores: Scores = {(task, loss): {} for task in tasks for loss in LOSSES}
    open_rates = {key: list(GRID) for key in scores}
    while any(open_rates.values()):
        wanted = [
            Run(task, loss, rate, seed)
            for (task, loss), rates in open_rates.items()
            for rate in rates
            for seed in SEEDS
        ]
        outcomes = iter(train_all(wanted, console, workers, title="tuning"))
        for key, rates in open_rates.items():
            for rate in rates:
                scores[key][rate] = mean(next(outcomes).validation for _ in SEEDS)
        open_rates = {key: beyond(scores[key]) for key in scores}
    write(scores)


def best(scores: dict[float, float]) -> float:
    """The rate with the best validation metric; of equals, the middle one."""
    top = max(scores.values())
    equal = sorted(rate for rate, score in scores.items() if score == top)
    return equal[len(equal) // 2]


def beyond(scores: dict[float, float]) -> list[float]:
    """The next rate to try when the best one is the smallest or the largest so far."""
    chosen = best(scores)
    if chosen == max(scores):
        return [float(f"{chosen * WIDER:.1g}")]
    if chosen == min(scores):
        return [float(f"{chosen / WIDER:.1g}")]
    return []


def write(scores: Scores) -> None:
    """Keep what was chosen with everything it was chosen from; tasks that were not searched stay as they are."""
    kept = json.loads(CHOSEN.read_text())["tasks"] if CHOSEN.exists() else {}
    for (task, loss), rates in scores.items():
        entry = {"chosen": best(rates), "validation": {f"{rate:g}": round(rates[rate], 4) for rate in sorted(rates)}}
        kept.setdefault(TASKS[task].key, {})[loss] = entry
    text = json.dumps({"command": COMMAND, "seeds": list(SEEDS), "tasks": kept}, indent=2)
    CHOSEN.write_text(text + "\n")


def learning_rates() -> dict[Key, float]:
    """The committed choice for every task and loss."""
    tasks = json.loads(CHOSEN.read_text())["tasks"]
    return {(number, loss): tasks[task.key][loss]["chosen"] for number, task in enumerate(TASKS) for loss in LOSSES}


def grid_text(rates: Sequence[float] = GRID) -> str:
    return ", ".join(f"{rate:g}" for rate in rates)

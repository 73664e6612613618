"""The demo's own arithmetic: paired differences, the search for learning rates, pairs that share everything but the loss."""

from __future__ import annotations

import json

import pytest
import torch
from rich.console import Console

from bench.core.record import Outcome, Run
from bench.core.statistics import estimate
from bench.core.task import BUNDLED, Task
from bench.core.training import train
from bench.core.tuning import best, beyond
from bench.demo.learning import CHOSEN, GRID, HANDMADE, LOSSES, name_of
from bench.demo.report import table
from bench.tasks.demo import TASKS


def test_mean_with_standard_error() -> None:
    assert estimate([0.5, 0.7]).text() == "0.6000 ± 0.1000"
    assert estimate([0.1, 0.3]).text("+") == "+0.2000 ± 0.1000"


def test_differences_are_paired_by_seed() -> None:
    def outcome(loss: str, seed: int, test: float) -> Outcome:
        run = Run(TASKS[0].key, name_of(TASKS[0], loss), 0.01, seed)
        return Outcome(run, (), 0.0, test, 1.0, 1.0, None, {}, {})

    outcomes = [outcome(loss, seed, seed + 0.25 * (loss != HANDMADE)) for loss in LOSSES for seed in (1, 0)]
    console = Console(width=140, record=True)
    console.print(table(TASKS[0], outcomes))
    assert console.export_text().count("+0.2500 ± 0.0000") == len(LOSSES) - 1


def test_the_grid_grows_until_the_best_rate_lies_inside() -> None:
    assert beyond({0.01: 0.5, 0.03: 0.6, 0.1: 0.7}) == [0.3]
    assert beyond({0.001: 0.9, 0.003: 0.6, 0.01: 0.5}) == [0.0003]
    assert beyond({0.01: 0.5, 0.03: 0.6, 0.1: 0.5}) == []
    assert best({0.01: 0.6, 0.03: 0.6, 0.1: 0.6}) == 0.03


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.key)
def test_splits_are_disjoint_new_for_every_seed_and_repeatable(task: Task) -> None:
    first, again, other = (task.split(seed, BUNDLED) for seed in (0, 0, 1))
    assert torch.equal(first.train[0], again.train[0])
    assert not torch.equal(first.train[0], other.train[0])
    rows = {part: {tuple(row.flatten().tolist()) for row in getattr(first, part)[0]} for part in ("train", "test")}
    assert len(rows["train"] & rows["test"]) == 0


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.key)
def test_runs_are_repeatable(task: Task) -> None:
    run = Run(task.key, name_of(task, HANDMADE), 0.003, seed=3, epochs=1)
    assert train(run).test == train(run).test


def test_committed_learning_rates_lie_inside_what_was_searched() -> None:
    searched = json.loads(CHOSEN.read_text())["tasks"]
    for task in TASKS:
        for loss in LOSSES:
            entry = searched[task.key][loss]
            assert beyond({float(rate): value for rate, value in entry["validation"].items()}) == [], (
                task.key,
                loss,
            )
            assert len(entry["validation"]) >= len(GRID)

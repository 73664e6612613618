"""The demo's own arithmetic: paired differences, the search for learning rates, pairs that share everything but the loss."""

from __future__ import annotations

import json

import pytest
import torch
from rich.console import Console

from bench.demo.losses import HANDMADE, LOSSES
from bench.demo.report import table, with_error
from bench.demo.tasks import TASKS
from bench.demo.training import Outcome, Run, train
from bench.demo.tuning import CHOSEN, GRID, best, beyond


def test_mean_with_standard_error() -> None:
    assert with_error([0.5, 0.7]) == "0.6000 ± 0.1000"
    assert with_error([0.1, 0.3], "+") == "+0.2000 ± 0.1000"


def test_differences_are_paired_by_seed() -> None:
    def outcome(loss: str, seed: int, test: float) -> Outcome:
        return Outcome(Run(0, loss, 0.01, seed), 0.0, test, 1.0)

    outcomes = [outcome(loss, seed, seed + 0.25 * (loss != HANDMADE)) for loss in LOSSES for seed in (1, 0)]
    console = Console(width=140, record=True)
    console.print(table(0, outcomes))
    assert console.export_text().count("+0.2500 ± 0.0000") == len(LOSSES) - 1


def test_the_grid_grows_until_the_best_rate_lies_inside() -> None:
    assert beyond({0.01: 0.5, 0.03: 0.6, 0.1: 0.7}) == [0.3]
    assert beyond({0.001: 0.9, 0.003: 0.6, 0.01: 0.5}) == [0.0003]
    assert beyond({0.01: 0.5, 0.03: 0.6, 0.1: 0.5}) == []
    assert best({0.01: 0.6, 0.03: 0.6, 0.1: 0.6}) == 0.03


@pytest.mark.parametrize("task", range(len(TASKS)))
def test_splits_are_disjoint_new_for_every_seed_and_repeatable(task: int) -> None:
    first, again, other = (TASKS[task].split(seed) for seed in (0, 0, 1))
    assert torch.equal(first.train[0], again.train[0])
    assert not torch.equal(first.train[0], other.train[0])
    rows = {part: {tuple(row.flatten().tolist()) for row in getattr(first, part)[0]} for part in ("train", "test")}
    assert len(rows["train"] & rows["test"]) == 0


@pytest.mark.parametrize("task", range(len(TASKS)))
def test_runs_are_repeatable(task: int) -> None:
    run = Run(task, HANDMADE, 0.003, seed=3, epochs=1)
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

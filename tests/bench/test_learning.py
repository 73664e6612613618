"""Every learning and development task: its splits, its losses, and that none of them is one the engine cannot train."""

from __future__ import annotations

import math

import pytest
import torch

from bench.core.losses import compile_metrics
from bench.core.record import Run
from bench.core.sweep import losses_of
from bench.core.task import BUNDLED, Task
from bench.core.training import train
from bench.tasks import development
from bench.tasks.learning import DEVELOPMENT, FRESH, HELD_OUT, TASKS

ALL = (*TASKS, *development.TASKS)
EACH = pytest.mark.parametrize("task", ALL, ids=lambda task: task.key)


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    compile_metrics(ALL)


def test_development_and_held_out_tasks_are_told_apart() -> None:
    assert all(task.development for task in DEVELOPMENT)
    assert not any(task.development for task in HELD_OUT)
    assert len(DEVELOPMENT) == 9
    assert len({task.metric for task in HELD_OUT}) == len(HELD_OUT) >= 7


def test_fresh_tasks_have_metrics_of_their_own() -> None:
    assert all(task.fresh and not task.development for task in FRESH)
    assert not any(task.fresh for task in (*DEVELOPMENT, *HELD_OUT))
    assert len({task.metric for task in FRESH}) == len(FRESH) == 10
    assert not {task.metric for task in FRESH} & {task.metric for task in (*DEVELOPMENT, *HELD_OUT)}
    assert all(task.key.startswith("fresh-") and len(task.handmade) >= 2 for task in FRESH)


@EACH
def test_splits_are_disjoint_new_for_every_seed_and_repeatable(task: Task) -> None:
    first, again, other = (task.split(seed, BUNDLED) for seed in (0, 0, 1))
    assert all(torch.equal(a, b) for a, b in zip(first.train, again.train, strict=True))
    assert not torch.equal(first.train[0], other.train[0])
    parts = [{tuple(row.flatten().tolist()) for row in part[0]} for part in (first.train, first.validation, first.test)]
    assert not parts[0] & parts[1]
    assert not (parts[0] | parts[1]) & parts[2]


@EACH
def test_every_loss_trains(task: Task) -> None:
    for loss in losses_of(task, ("integrated",)):
        outcome = train(Run(task.key, loss, 1e-2, 7, epochs=1))
        assert outcome.failure is None
        assert outcome.test is not None and math.isfinite(outcome.test)
        assert math.isfinite(outcome.epochs[0].loss)

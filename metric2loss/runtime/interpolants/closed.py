"""Integrated credit of rows of two outcomes, from the keys alone: the row is one binary, worth the same on the whole path."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from metric2loss.runtime.factored import Problem
from metric2loss.runtime.interpolants import links, margins
from metric2loss.runtime.interpolants.protocol import Entries
from metric2loss.runtime.light import heavy, light, total
from metric2loss.runtime.split import Split


def decided(problem: Problem, split: Split) -> bool:
    """Whether every row of the metric is one row of the split, and worth the same whatever the others are."""
    layout = problem.leaves[0].layout
    return bool(
        layout.kind in ("choose", "margin") and problem.n_rows == layout.n_rows and problem.n_rows == split.shape[0]
    )


def gradient(problem: Problem, split: Split, power: links.Power) -> tuple[Tensor | Entries, float] | None:
    """dL/dkeys of the integrated credit and the mean credit, from two evaluations of the rows; None if there is none."""
    worth, size = _worth(problem, split)
    if size == 0:
        return None
    largest = margins.by_largest(split, heavy(worth), power) if split.encoding == "margin" else None
    return (margins.pulled(split, heavy(worth), power) if largest is None else largest), size


def _worth(problem: Any, split: Split) -> tuple[Any, float]:
    """What choosing a good item rather than another is worth in each row, float64 [R], light; and its mean size."""
    layout = problem.leaves[0].layout
    right, wrong = problem.best_rows, problem.rows_at(layout.with_ahead(split.side.others))
    if right is None or right.shape != wrong.shape:
        right = problem.rows_at(layout.with_ahead(split.side))
    found = _rated(problem, split, light(right - wrong))
    if math.isfinite(found[1]):
        return found
    change = problem.finite(right) - problem.finite(wrong)
    return _rated(problem, split, light(torch.where(torch.isfinite(change), change, 0.0)))


def _rated(problem: Any, split: Split, change: Any) -> tuple[Any, float]:
    """The share of each row's change in that of the metric; rows of one kind have none."""
    if not split.side.mixed:
        change = light(torch.where((split.amounts > 0) & (split.amounts < split.shape[1]), heavy(change), 0.0))
    worth = change * (problem.sign / change.shape[0])
    return worth, total(abs(worth)) / change.shape[0]

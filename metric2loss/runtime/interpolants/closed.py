"""Integrated credit of rows of two outcomes, from the keys alone: the row is one binary, worth the same on the whole path."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from metric2loss.runtime.factored import Problem
from metric2loss.runtime.interpolants import margins
from metric2loss.runtime.split import Split


def decided(problem: Problem, split: Split) -> bool:
    """Whether every row of the metric is one row of the split, and worth the same whatever the others are."""
    layout = problem.leaves[0].layout
    return bool(
        layout.kind in ("choose", "margin") and problem.n_rows == layout.n_rows and problem.n_rows == split.shape[0]
    )


def gradient(problem: Problem, split: Split) -> tuple[Tensor, float] | None:
    """dL/dkeys of the integrated credit and the mean credit, from two evaluations of the rows; None if there is none."""
    worth = _worth(problem, split)
    if not split.side.mixed:
        worth = torch.where((split.amounts > 0) & (split.amounts < split.shape[1]), worth, 0.0)
    size = float(worth.abs().mean())
    if size == 0:
        return None
    return margins.pulled(split, worth.to(split.values), problem.progress).to(split.keys.dtype), size


def _worth(problem: Any, split: Split) -> Tensor:
    """What choosing a good item rather than another is worth in each row, float64 [R]."""
    layout = problem.leaves[0].layout
    right, wrong = problem.best_rows, problem.rows_at(layout.with_ahead(split.side.others))
    if right is None or len(right) != len(wrong):
        right = problem.rows_at(layout.with_ahead(split.side))
    worth: Tensor = problem.sign * (right - wrong) / len(right)
    if math.isfinite(float(worth.sum())):
        return worth
    worth = problem.sign * (problem.finite(right) - problem.finite(wrong)) / len(right)
    return torch.where(torch.isfinite(worth), worth, 0.0)

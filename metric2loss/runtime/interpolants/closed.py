"""Integrated credit of rows of two outcomes, from the keys alone: the row is one binary, worth the same on the whole path."""

from __future__ import annotations

import torch
from torch import Tensor

from metric2loss.runtime.factored import Problem
from metric2loss.runtime.interpolants import margins
from metric2loss.runtime.split import Split


def decided(problem: Problem, split: Split) -> bool:
    """Whether every row of the metric is one row of the split, and worth the same whatever the others are."""
    layout = problem.leaves[0].layout
    return bool(
        layout.kind in ("choose", "margin") and problem.n_rows == layout.n_rows and problem.n_rows == len(split.winners)
    )


def gradient(problem: Problem, split: Split) -> tuple[Tensor, float] | None:
    """dL/dkeys of the integrated credit and the mean credit, from two evaluations of the rows; None if there is none."""
    layout = problem.leaves[0].layout
    outcomes = torch.stack([layout.with_ahead(split.winners), layout.with_ahead(~split.winners)])
    values: Tensor = problem.row_values_at(outcomes)  # type: ignore[attr-defined]
    right, wrong = values.reshape(2, -1)  # a metric that is one row may give no axis of rows
    worth = problem.sign * (right - wrong) / len(right)
    mixed = (split.amounts > 0) & (split.amounts < split.winners.shape[1])
    worth = torch.where(torch.isfinite(worth) & mixed, worth, 0.0).to(split.values)
    if not bool((worth != 0).any()):
        return None
    slope = margins.pulled(split, worth, problem.progress)
    return slope.to(split.keys.dtype), float(worth.abs().mean())

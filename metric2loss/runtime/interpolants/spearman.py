"""Spearman's rank correlation, exact, and with soft ranks that have a gradient."""

from __future__ import annotations

import torch
from torch import Tensor

_SHARP = 0.1  # of the spread of the values: how far apart two must be to be ranked surely


def ranks(values: Tensor) -> Tensor:
    """Ranks along the first axis, ties in the middle."""
    return torch.heaviside(values.unsqueeze(1) - values.unsqueeze(0), values.new_tensor(0.5)).sum(1)


def soft_ranks(values: Tensor) -> Tensor:
    """r_i = Σ_j sigmoid((v_i − v_j) / T), T a share of the standard deviation."""
    width = (_SHARP * values.detach().std(0)).clamp(min=1e-9)
    return torch.sigmoid((values.unsqueeze(1) - values.unsqueeze(0)) / width).sum(1)


def correlation(values: Tensor, targets: Tensor) -> Tensor:
    """Of each column of [S, R]; columns without two different targets count nothing (at least one entry is returned)."""
    told = targets.std(0) > 1e-12
    if not bool(told.any()):
        return (values * 0).sum().reshape(1)
    a, b = soft_ranks(values[:, told]), ranks(targets[:, told])
    a, b = a - a.mean(0), b - b.mean(0)
    return (a * b).sum(0) / ((a**2).sum(0) * (b**2).sum(0)).clamp(min=1e-12).sqrt()


def exact(values: Tensor, targets: Tensor) -> float:
    """Spearman's ρ of two vectors; 0 where one of them is constant."""
    a, b = ranks(values), ranks(targets)
    a, b = a - a.mean(), b - b.mean()
    scale = ((a**2).sum() * (b**2).sum()).sqrt()
    return float((a * b).sum() / scale) if float(scale) > 0 else 0.0

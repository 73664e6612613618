"""What a configuration counts as where the metric has no value: 0/0 of a precision without a hit is no better than the worst."""

from __future__ import annotations

import math

import torch

from metric2loss.runtime.problem import Problem

_TRIED = 4  # random configurations that are asked for the worst value, beside the opposite of the best
_MANY = 2**22  # binaries, above which nothing is asked


def counted(problem: Problem) -> None:
    """Gives the problem the value of its current configuration and of others without one; its metric stays what it is."""
    undefined = math.isnan(problem.metric) or problem.sign * problem.metric == -math.inf
    if not undefined:
        filler = problem.metric if math.isfinite(problem.metric) else problem.best_value
        problem.filler = filler if math.isfinite(filler) else 0.0
    elif math.isfinite(problem.best_value) and problem.size:
        problem.filler = worst(problem)
        problem.worth = float(problem.row_values_of(problem.bits.unsqueeze(0)).mean())
    else:
        problem.filler = 0.0


def worst(problem: Problem) -> float:
    """The worst value that is known: at other configurations, or 0 where larger is better; always worse than the best."""
    best, sign = problem.best_value, problem.sign
    top = low = sign * best
    if problem.size <= _MANY:
        draw = torch.Generator().manual_seed(0)
        random = torch.rand(_TRIED, problem.size, generator=draw).to(problem.device) < 0.5
        values = sign * problem.row_values_of(torch.cat([~problem.best.unsqueeze(0), random])).double()
        low = min(low, float(torch.where(torch.isfinite(values), values, top).min()))
    if sign > 0 and top > 0:
        low = min(low, 0.0)
    return sign * (low if low < top else top - max(1.0, abs(top)))

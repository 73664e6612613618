"""What an interpolant, made for one batch, says the metric is at other configurations of that batch."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor

from metric2loss.runtime.problem import Problem

FAR = 1000.0  # sigmoid of it is exactly 1

Value = Callable[[Problem], Tensor]


def approximated(interpolant: Value, problem: Problem, configurations: Tensor) -> list[float]:
    """Its value at BoolTensor[A, L]: the best value of the metric, less the loss of scores that are all decided that way.

    Whatever the interpolant draws (anchors, samples) is the same for all configurations of a batch.
    """
    found = []
    for bits in configurations:
        asked = copy.copy(problem)
        asked.differences = torch.where(bits, FAR, -FAR).double() * problem.temperature
        asked.split = None  # a shortcut for the current scores
        asked.generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            found.append(problem.best_value - problem.sign * float(interpolant(asked)))
    return found


def turned(bits: Tensor, count: int, samples: int, generator: torch.Generator) -> Tensor:
    """[samples, L]: so many of the binaries turned, drawn anew for each."""
    keys = torch.rand(samples, len(bits), generator=generator)
    chosen = torch.zeros(samples, len(bits), dtype=torch.bool).scatter_(1, keys.argsort(1)[:, :count], True)
    return bits ^ chosen

"""What an interpolant is, and the loss it gives back: a value joined to a gradient of its own."""

from __future__ import annotations

import math
from typing import Any, Protocol

import torch
from torch import Tensor

from metric2loss.runtime.factored import Problem

_FEW = 2**18  # numbers that are read in less time than a function in Python takes


class Interpolant(Protocol):
    """From one factored batch to a loss that is >= 0, 0 at the best, and differentiable where the differences are."""

    @property
    def name(self) -> str: ...
    @property
    def notes(self) -> tuple[str, ...]: ...

    def __call__(self, problem: Problem) -> Tensor: ...


class _Joined(torch.autograd.Function):
    """A value whose gradients are given rather than derived (alternating gradient, tensor)."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, *pairs: Tensor) -> Tensor:
        ctx.save_for_backward(*pairs[0::2])
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *outgoing: Tensor) -> tuple[Tensor | None, ...]:
        incoming: list[Tensor | None] = [None]
        for gradient in ctx.saved_tensors:
            incoming += [None, gradient * outgoing[0].to(gradient.dtype)]
        return tuple(incoming)


def joined(value: float | Tensor, *pairs: tuple[Tensor, Tensor]) -> Tensor:
    """A 0-d loss worth `value`, its gradients given as (tensor, gradient) pairs.

    An infinite tensor is no obstacle, as it would be for the sum of tensor · gradient.
    """
    like, only = pairs[0]
    if len(pairs) == 1 and like.device.type == "cpu" and like.numel() <= _FEW:
        flat = only.detach().to(like.dtype)
        through = (
            torch.dot(like, flat) if like.ndim == flat.ndim == 1 else torch.dot(like.reshape(-1), flat.reshape(-1))
        )
        if math.isfinite(through.item()):  # the same in torch's own operations, which call no Python
            through.detach().fill_(float(value))
            return through
    worth = torch.as_tensor(value, dtype=like.dtype, device=like.device).detach()
    given: list[Tensor] = []
    for tensor, gradient in pairs:
        given += [gradient.detach().to(tensor.dtype).reshape(tensor.shape), tensor]
    result: Tensor = _Joined.apply(worth, *given)  # type: ignore[no-untyped-call]
    return result


def distance(problem: Problem) -> float:
    """How far the metric is from its best value; where it has no value, the worst one stands for it."""
    return abs(problem.best_value - problem.worth)


def nothing(problem: Problem) -> Tensor:
    """The loss of a batch without binaries: zero, and part of the graph."""
    return joined(0.0, (problem.differences, torch.zeros_like(problem.differences)))

"""What an interpolant is, and the loss it gives back: a value joined to a gradient of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from metric2loss.runtime.factored import Problem

_FEW = 2**14  # numbers that are read twice in less time than a function in Python takes


class Interpolant(Protocol):
    """From one factored batch to a loss that is >= 0, 0 at the best, and differentiable where the differences are."""

    @property
    def name(self) -> str: ...
    @property
    def notes(self) -> tuple[str, ...]: ...

    def __call__(self, problem: Problem) -> Tensor: ...


@dataclass(frozen=True)
class Entries:
    """A gradient that is zero but for a few entries: where these stand in the tensor as one list, LongTensor[k], and what they are."""

    at: Tensor
    by: Tensor

    def of(self, tensor: Tensor) -> Tensor:
        """The tensor's entries there, in its graph."""
        return (tensor if tensor.ndim == 1 else tensor.reshape(-1)).gather(0, self.at)


class _Joined(torch.autograd.Function):
    """A value whose gradients are given rather than derived (alternating gradient, tensor)."""

    @staticmethod
    def forward(ctx: Any, value: float, *pairs: Tensor) -> Tensor:
        ctx.save_for_backward(*pairs[0::2])
        return pairs[1].new_tensor(value)

    @staticmethod
    def backward(ctx: Any, *outgoing: Tensor) -> tuple[Tensor | None, ...]:
        incoming: list[Tensor | None] = [None]
        for gradient in ctx.saved_tensors:
            incoming += [None, _scaled(gradient, outgoing[0])]
        return tuple(incoming)


def _scaled(gradient: Tensor, factor: Tensor) -> Tensor:
    """The product; by one, where nobody derives by the factor, the gradient itself rather than a copy."""
    if factor.is_cpu and not torch.is_grad_enabled() and factor.item() == 1:
        return gradient
    return gradient * factor.to(gradient.dtype)


def joined(value: float | Tensor, *gradients: tuple[Tensor, Tensor | Entries]) -> Tensor:
    """A 0-d loss worth `value`, its gradients given as (tensor, gradient) pairs.

    An infinite tensor is no obstacle, as it would be for the sum of tensor · gradient.
    """
    pairs = [(by.of(x), by.by) if isinstance(by, Entries) else (x, by) for x, by in gradients]
    like, only = pairs[0]
    if len(pairs) == 1 and like.is_cpu and like.numel() <= _FEW:
        flat = only if only.dtype == like.dtype and not only.requires_grad else only.detach().to(like.dtype)
        through = (
            torch.dot(like, flat) if like.ndim == flat.ndim == 1 else torch.dot(like.reshape(-1), flat.reshape(-1))
        )
        if math.isfinite(through.item()):  # the same in torch's own operations, which call no Python
            through.detach().fill_(float(value))
            return through
    given: list[Tensor] = []
    for tensor, gradient in pairs:
        shaped = gradient if gradient.shape == tensor.shape else gradient.reshape(tensor.shape)
        given += [shaped.to(tensor.dtype), tensor]
    result: Tensor = _Joined.apply(float(value), *given)  # type: ignore[no-untyped-call]
    return result


def distance(problem: Problem) -> float:
    """How far the metric is from its best value; where it has no value, the worst one stands for it."""
    return abs(problem.best_value - problem.worth)


def nothing(problem: Problem) -> Tensor:
    """The loss of a batch without binaries: zero, and part of the graph."""
    return joined(0.0, (problem.differences, torch.zeros_like(problem.differences)))

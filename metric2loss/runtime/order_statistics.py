"""Scores picked by their place in an order (a quantile, the k-th largest): their gradient goes to the scores around that place.

As a function of the scores, a quantile is one score or two, so that whatever is compared with it pulls these alone, as hard as all
others together, and which ones they are is chance. The quantile of a population moves with the density at it: so an entry's share is
that of a logistic kernel around the cut, 0.3 of the spread of the scores wide, but between 1/10 of the temperature and all of it.
Values are the user's own.  Measured on development tasks, test metric, 6 seeds, at Adam's rates .003, .01, .03, without and with:
lift of the first fifth with a linear model 1.45, 1.68, 1.99 and 1.57, 1.90, 2.19 (SE .1); positives found at 10 % false positives, an MLP .571, .588, .579 and .608, .636, .629 (.015), a linear model .931, .958, .970 and .931, .963, .974 (.015).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from types import CodeType, FunctionType
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from metric2loss.runtime import settings

_NEAR = 0.3  # of the spread of the scores: the width of the kernel
_NEAREST = 0.1  # the least of it, in temperatures
NOTE = "a cut at a place of the order: its gradient goes to the scores around it"
_POPULATION = 16  # entries; fewer are candidates of one choice rather than examples
_FEW = 1 / 4  # of the places of an order: more of them are no cut, and keep their own gradient
_MOST = 2**22  # numbers that the kernels of all cuts may take


class _Around(torch.autograd.Function):
    """Values that are entries of x, [..., k] of [..., n], or lie between two: the gradient of few is spread over x."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, values: Tensor, index: Tensor | None, temperature: float) -> Tensor:
        ctx.save_for_backward(x, values, *(() if index is None else (index,)))
        ctx.temperature = temperature
        return values.clone()

    @staticmethod
    def backward(ctx: Any, *outgoing: Tensor) -> tuple[Tensor | None, ...]:
        x, values, *index = ctx.saved_tensors
        rows, n = x.reshape(-1, x.shape[-1]), x.shape[-1]
        gradient = outgoing[0].reshape(len(rows), -1)
        row, place = gradient.nonzero(as_tuple=True)
        if index and (len(row) > _FEW * rows.numel() or len(row) * n > _MOST):
            return torch.zeros_like(x).scatter_add(-1, index[0], outgoing[0]), None, None, None
        shares = _kernel(rows, values.reshape(len(rows), -1)[row, place], row, ctx.temperature)
        spread = torch.zeros_like(rows).index_add(0, row, shares * gradient[row, place].unsqueeze(1))
        return spread.reshape(x.shape), None, None, None


def _kernel(rows: Tensor, cuts: Tensor, row: Tensor, temperature: float) -> Tensor:
    """How much of each cut, [c] of the given rows, is moved by each entry of its row: [c, n], each line adds up to 1."""
    wide = rows if rows.dtype in (torch.float32, torch.float64) else rows.float()
    spread = wide.var(-1, correction=0).sqrt().nan_to_num(nan=1.0, posinf=1.0)
    width = temperature * (_NEAR * spread / temperature).clamp(_NEAREST, 1)
    x = (wide[row] - cuts.to(wide).unsqueeze(1)) / width[row].unsqueeze(1)
    near = torch.nn.functional.logsigmoid(x) + torch.nn.functional.logsigmoid(-x)
    return torch.softmax(near.nan_to_num(nan=-torch.inf), -1).nan_to_num(nan=0.0).to(rows.dtype)


def around(x: Tensor, values: Tensor, index: Tensor | None, dim: int) -> Tensor:
    """The values, picked from x along a dimension, with such a gradient; the index tells where they stand in x, if one does."""
    if not x.requires_grad or not x.is_floating_point() or not x.ndim or x.shape[dim] < _POPULATION:
        return values
    known = settings.current()
    known.cuts = True
    moved = (part if part is None else part.movedim(dim, -1) for part in (x, values.detach(), index))
    found: Tensor = _Around.apply(*moved, known.temperature)  # type: ignore[no-untyped-call]
    return found.movedim(-1, dim)


class Spread(TorchFunctionMode):
    """While it is in force, what torch picks by its place in an order has such a gradient."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        found = func(*args, **kwargs)
        parameters = PICKING.get(getattr(func, "__name__", ""))
        if parameters is None:
            return found
        facts = {**dict(zip(("input", *parameters), args)), **kwargs}
        x = facts["input"]
        if not isinstance(x, Tensor) or not x.requires_grad or facts.get("out") is not None:
            return found
        return picked(found, x, facts.get("dim", -1)) if isinstance(found, tuple) else _between(found, x, **facts)


PICKING = {
    "sort": ("dim", "descending"),
    "topk": ("k", "dim", "largest", "sorted"),
    "kthvalue": ("k", "dim", "keepdim"),
    **dict.fromkeys(("median", "nanmedian"), ("dim", "keepdim")),
    **dict.fromkeys(("quantile", "nanquantile"), ("q", "dim", "keepdim")),
}
_NUMPY = frozenset(("percentile", "partition", "nanpercentile"))  # sorts, under other names


def picked(found: Any, x: Tensor, dim: int) -> Any:
    """torch's (values, indices), along a dimension of x or without it."""
    values, index = found
    gone = values.ndim < x.ndim
    if gone:
        values, index = values.unsqueeze(dim), index.unsqueeze(dim)
    spread = around(x, values, index, dim)
    return type(found)((spread.squeeze(dim) if gone else spread, found[1]))


def _between(
    values: Tensor, x: Tensor, q: Any = 0.5, dim: int | None = None, keepdim: bool = False, **_: Any
) -> Tensor:
    """A median of all, or quantiles: between two entries."""
    many = isinstance(q, Tensor) and q.ndim == 1
    rows = x.reshape(-1) if dim is None else x.movedim(dim, -1)
    if keepdim or (many and len(q) > _FEW * rows.shape[-1]):
        return values
    found = around(rows, values.movedim(0, -1) if many else values.unsqueeze(-1), None, -1)
    return found.movedim(-1, 0) if many else found.squeeze(-1)


@cache
def mentions(function: Callable[..., Any]) -> bool:
    """Whether a function, or one of its module that it calls, says the name of what picks by a place."""
    words = {*PICKING, *_NUMPY}
    seen, waiting = set(), [function]
    while waiting:
        one = waiting.pop()
        seen.add(one)
        names = set(_names(one.__code__))
        if names & words:
            return True
        called = (one.__globals__.get(name) for name in names)
        waiting += [
            f for f in called if isinstance(f, FunctionType) and f.__module__ == one.__module__ and f not in seen
        ]
    return False


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from _names(part)

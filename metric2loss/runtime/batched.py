"""Values that differ between the configurations evaluated together: looking at them, and splitting where Python asks for one.

g runs once under `torch.vmap` for many configurations.  Where the user's lines need a plain value (`if tp == 0`,
`int(k)`), all configurations must agree; else `Split` tells the driver which of them to run apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
import torch
from torch import Tensor
from torch._C import _functorch


class Split(Exception):
    """The configurations disagree where one plain value is needed: `group` says who agrees with whom."""

    def __init__(self, group: Tensor) -> None:
        super().__init__("configurations disagree on a plain value")
        self.group = group


class Unbatchable(Exception):
    """The user's lines need a real array or tensor here: the loop over configurations must do it."""


_pivot: ContextVar[Tensor | None] = ContextVar("metric2loss_pivot", default=None)


@contextmanager
def batch(pivot: Tensor) -> Iterator[None]:
    """Inside, g runs for many configurations; `pivot` is a 0-d True that differs (for vmap) between them."""
    token = _pivot.set(pivot)
    try:
        yield
    finally:
        _pivot.reset(token)


def vmapped(function: Callable[..., Tensor], parts: Sequence[Tensor], many: Sequence[bool], amount: int) -> Tensor:
    """`function` for `amount` configurations at once: [amount, ...], over the first axis of those `parts` that are `many`.

    What `torch.vmap` does, without its way through nested containers; the pivot of `batch` is made here.
    """
    level = _functorch._vmap_increment_nesting(amount, "error")
    try:
        pivot = torch.ones(amount, dtype=torch.bool, device=parts[0].device if parts else None)
        lifted = [_functorch._add_batch_dim(x, 0, level) if m else x for x, m in zip(parts, many, strict=True)]
        with batch(_functorch._add_batch_dim(pivot, 0, level)):
            found = function(*lifted)
        return _functorch._remove_batch_dim(found, level, amount, 0)
    finally:
        _functorch._vmap_decrement_nesting()


def in_batch() -> bool:
    return _pivot.get() is not None


def is_batched(x: Tensor) -> bool:
    return bool(_functorch.is_batchedtensor(x))


def spread(x: Tensor) -> Tensor:
    """A fresh copy of `x` that may differ between configurations."""
    pivot = _pivot.get()
    return x.clone() if pivot is None or is_batched(x) else torch.where(pivot, x, x)


def each(x: Tensor) -> Tensor:
    """A batched value as one plain tensor, [A, ...]."""
    where = _functorch.maybe_get_bdim(x)
    return _functorch.get_unwrapped(x).movedim(where, 0)


def agreed(x: Tensor) -> Tensor:
    """The value of `x` that all configurations share, as a plain tensor; `Split` where they differ."""
    if not is_batched(x):
        return x
    values = each(x)
    first = values[:1]
    same = values == first
    if values.is_floating_point():
        same |= torch.isnan(values) & torch.isnan(first)
    if bool(same.all()):
        return values[0]
    raise Split(torch.unique(values.reshape(len(values), -1).nan_to_num(), dim=0, return_inverse=True)[1])


def plain(x: Tensor) -> np.ndarray:
    """The shared value as an ndarray."""
    return agreed(x).detach().cpu().numpy()


def true_places(mask: Tensor) -> tuple[Tensor, ...]:
    """`mask.nonzero(as_tuple=True)`; batched, the number of true entries must agree, their places need not."""
    if not is_batched(mask):
        return mask.nonzero(as_tuple=True)
    count = int(agreed(mask.sum()))
    flat = mask.reshape(-1)
    places = torch.sort(torch.where(flat, 0, 1).to(torch.uint8), stable=True)[1][:count]
    found: list[Tensor] = []
    for size in reversed(mask.shape):
        found.insert(0, places % size)
        places = torch.div(places, size, rounding_mode="floor")
    return tuple(found)

"""Turns "what the program makes of an index" into a table: its value for every candidate of every row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metric2loss.runtime.arrays import Array
from metric2loss.runtime.batched import Split, Unbatchable, batch

_FEW = 16  # candidates for which plain calls are as fast as one batched call


def tabulated(outcome: Callable[[Any], Any], native: Any, n_rows: int, n: int, library: str) -> Tensor:
    """[n, *outcome shape] for an index of the shape of `native` in which every row chooses candidate 0, 1, ... n-1."""
    if n > _FEW:
        try:
            return _at_once(outcome, native, n, library)
        except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError, Split, Unbatchable):
            pass  # the region needs real arrays
    return torch.stack([_value(outcome(_everywhere(native, j, library))) for j in range(n)])


def _at_once(outcome: Callable[[Any], Any], native: Any, n: int, library: str) -> Tensor:
    """All candidates by one vmap, checked against plain calls."""
    shape = tuple(np.shape(native)) if library == "numpy" else tuple(native.shape)
    device = "cpu" if library == "numpy" else native.device
    index = torch.arange(n, device=device).reshape(n, *(1,) * len(shape)).expand(n, *shape)

    def one(chosen: Tensor, pivot: Tensor) -> Tensor:
        with batch(pivot):
            return _value(outcome(Array(None, chosen) if library == "numpy" else chosen))

    table: Tensor = torch.vmap(one)(index, torch.ones(n, dtype=torch.bool, device=device))
    for j in {0, n // 2, n - 1}:
        expected = _value(outcome(_everywhere(native, j, library)))
        if expected.shape != table[j].shape or not torch.allclose(expected.double(), table[j].double(), equal_nan=True):
            raise Unbatchable("the batched table differs from plain calls")
    return table.to(expected.dtype)


def _everywhere(native: Any, j: int, library: str) -> Any:
    """The index in which every row chooses candidate j, as the user's call would return it."""
    if library == "torch":
        return torch.full_like(native, j)
    return np.full_like(native, j) if np.ndim(native) else native.dtype.type(j)


def _value(x: Any) -> Tensor:
    if isinstance(x, Array):
        return x.tensor
    return x.detach() if isinstance(x, Tensor) else torch.as_tensor(np.asarray(x))

"""Turns "what the program makes of an index" into a table: its value for every candidate of every row."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
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
        if (found := _broadcast(outcome, native, n, library)) is not None:
            return found
        try:
            return _at_once(outcome, native, n, library)
        except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError, Split, Unbatchable):
            pass  # the region needs real arrays
    return torch.stack([_value(outcome(_everywhere(native, j, library))) for j in range(n)])


def _broadcast(outcome: Callable[[Any], Any], native: Any, n: int, library: str) -> Tensor | None:
    """All candidates along a new first axis, where the program is element-wise and so does not mind one.

    Checked against plain calls at three candidates and at different ones in all rows; None where it minds.
    """
    shape = tuple(np.shape(native)) if library == "numpy" else tuple(native.shape)
    if not shape or n in shape:
        return None
    index, checks = np.broadcast_to(np.arange(n).reshape(n, *(1,) * len(shape)), (n, *shape)), _checked(n, shape)
    try:
        table = _value(outcome(_like(np.ascontiguousarray(index), native, library)))
        plain = [_value(outcome(_like(check, native, library))) for check in checks.copy()]
    except Exception:  # noqa: BLE001 (whatever the user's lines raise at one more axis)
        return None
    if table.shape != (n, *shape) or any(found.shape != shape for found in plain):
        return None
    same = torch.equal(torch.gather(table, 0, torch.from_numpy(checks).to(table.device)), torch.stack(plain))
    return table.to(plain[0].dtype) if same else None


@cache
def _checked(n: int, shape: tuple[int, ...]) -> np.ndarray:
    """Indices [checks, *shape]: three that are the same everywhere, and two drawn at random."""
    draw = np.random.default_rng(0).integers(n, size=(2, *shape))
    return np.concatenate([np.stack([np.full(shape, j) for j in (0, n // 2, n - 1)]), draw])


def _like(index: np.ndarray, native: Any, library: str) -> Any:
    if library == "torch":
        return torch.from_numpy(index).to(native.device, native.dtype)
    return index.astype(native.dtype, copy=False)


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

"""Turns "what the program makes of an index" into a table: its value for every candidate of every row."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
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
    checks = _checked(n, shape)
    try:
        table = _value(outcome(_everyone(n, shape, native, library)))
        plain = [_value(outcome(_like(check, native, library))) for check in checks.copy()]
    except Exception:  # noqa: BLE001 (whatever the user's lines raise at one more axis)
        return None
    if table.shape != (n, *shape) or any(found.shape != shape for found in plain):
        return None
    by_row = table.movedim(0, -1).reshape(-1)
    same = torch.equal(by_row[_among_all(n, shape).to(by_row.device)], torch.stack(plain))
    return table.to(plain[0].dtype) if same else None


def _everyone(n: int, shape: tuple[int, ...], native: Any, library: str) -> Any:
    """Every candidate along a new first axis, which is the last one in memory: so is that of what is made of them."""
    if library == "numpy":
        return _candidates(n, shape, np.dtype(native.dtype))
    return torch.arange(n, dtype=native.dtype, device=native.device).repeat(*shape, 1).movedim(-1, 0)


@lru_cache(maxsize=4)
def _candidates(n: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray:
    found = np.moveaxis(np.tile(np.arange(n, dtype=dtype), (*shape, 1)), -1, 0)
    found.setflags(write=False)  # the next batch gets the same
    return found


@lru_cache(maxsize=4)
def _checked(n: int, shape: tuple[int, ...]) -> np.ndarray:
    """Indices [checks, *shape]: three that are the same everywhere, and two drawn at random."""
    draw = np.random.default_rng(0).integers(n, size=(2, *shape))
    return np.concatenate([np.stack([np.full(shape, j) for j in (0, n // 2, n - 1)]), draw])


@lru_cache(maxsize=4)
def _among_all(n: int, shape: tuple[int, ...]) -> Tensor:
    """Where the entries to be checked stand in a table of candidates, row by row."""
    rows = np.arange(int(np.prod(shape))).reshape(shape)
    return torch.from_numpy(rows * n + _checked(n, shape))


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
    if isinstance(x, Tensor):
        return x.detach()
    return torch.from_numpy(x) if type(x) is np.ndarray else torch.as_tensor(np.asarray(x))

"""What mutated text calls: one step's differences or outcome, altered in one way."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metric2loss.runtime.layouts import Layout
from metric2loss.runtime.ranking import passive
from metric2loss.runtime.recorded import Differences


class Without(Layout):
    """A layout that lost its binary `place`: it stays what it was recorded as."""

    kind = "lost"

    def __init__(self, inner: Any, place: int, bit: Tensor) -> None:
        self.inner, self.place, self.bit = inner, place, bit
        self.size, self.n_rows, self.device = inner.size - 1, inner.n_rows, inner.device

    @property
    def row_of(self) -> Tensor:
        return self._shortened(self.inner.row_of)

    @property
    def numel(self) -> int:
        return int(self.inner.numel)

    def _shortened(self, x: Tensor) -> Tensor:
        return torch.cat([x[: self.place], x[self.place + 1 :]])

    def result(self, bits: Tensor) -> Tensor:
        mine = self.bit.expand(len(bits), 1)
        return self.inner.result(torch.cat([bits[:, : self.place], mine, bits[:, self.place :]], 1))  # type: ignore[no-any-return]

    def read(self, outcome: Tensor, op: str | None = None) -> Tensor:
        return self.inner.read(outcome, op)  # type: ignore[no-any-return]

    def detached(self) -> Layout:
        found = copy.copy(self)
        found.inner = self.inner.detached()
        return found

    def same_as(self, other: Layout) -> bool:
        return isinstance(other, Without) and self.place == other.place and self.inner.same_as(other.inner)


def without_one(found: Differences) -> Differences:
    """One binary fewer."""
    if found.layout.size < 2:
        return found
    place = found.layout.size // 3
    layout = Without(found.layout, place, found.bits[place : place + 1])
    values, bits = found.values, found.bits
    return Differences(
        layout,
        torch.cat([values[:place], values[place + 1 :]]),
        torch.cat([bits[:place], bits[place + 1 :]]),
        found.library,
        found.native,
    )


def kept(found: Differences) -> Differences:
    """No binaries: the outcome stays as it was recorded."""
    return passive(torch.as_tensor(found.read()), found.library) if _readable(found) else found


def _readable(found: Differences) -> bool:
    return len(getattr(found.layout, "ops", ("",))) < 2


def other_ties(found: Differences) -> Differences:
    """Ties decided the other way."""
    tied = found.values.detach() == 0
    return Differences(found.layout, found.values, found.bits ^ tied, found.library)


def reversed_(x: Any) -> Any:
    """An order or an array of indices from behind, a comparison turned round."""
    if isinstance(x, Tensor):
        return ~x if x.dtype == torch.bool else torch.flip(x, (-1,)) if x.ndim else x
    if np.asarray(getattr(x, "dtype", bool)).dtype == bool or getattr(x, "dtype", None) == bool:
        return np.logical_not(x)
    return np.flip(x, -1) if getattr(x, "ndim", 0) else x


def inverse(x: Any) -> Any:
    """The inverse permutation: places instead of items."""
    if isinstance(x, Tensor):
        return torch.argsort(x, dim=-1) if x.ndim and not x.is_floating_point() and x.dtype != torch.bool else x
    if getattr(x, "ndim", 0) and getattr(x, "dtype", None) != bool:
        return np.argsort(x, axis=-1)
    return x


def coarse(arrays: Any) -> Any:
    """Arrays by which nothing is told apart."""
    return tuple(x * 0 for x in arrays)


def coarser(function: Any) -> Any:
    """An outcome that is the same for all candidates."""

    def one(*args: Any, **kwargs: Any) -> Any:
        found = function(*args, **kwargs)
        if isinstance(found, tuple):
            return tuple(x * 0 == 0 for x in found)
        return found * 0 == 0

    return one


NAMES = {
    "_without_one": without_one,
    "_kept": kept,
    "_other_ties": other_ties,
    "_reversed": reversed_,
    "_inverse": inverse,
    "_coarse": coarse,
    "_coarser": coarser,
}

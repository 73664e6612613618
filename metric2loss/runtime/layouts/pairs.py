"""Pairs of items from different classes, and how many items of other classes each item has ahead of it.

Built from classes by index, never as p x p masks: items are sorted by class, so the partners of an item are one run of
positions.  Pair lists of rows with two classes of the same sizes are a grid, whose sums need no index at all.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor

from metric2loss.runtime import masks
from metric2loss.runtime.kept import kept
from metric2loss.runtime.layouts.base import Layout
from metric2loss.runtime.layouts.classed import Classed
from metric2loss.runtime.side import Side


def stable_order(keys: Tensor, limit: int) -> Tensor:
    """argsort of integers 0 ... limit along the last axis, equal ones in the order they stand in.

    NumPy sorts numbers of one or two bytes by radix, eight times as fast as torch sorts long ones.
    """
    if keys.device.type != "cpu" or limit >= 2**15:
        return torch.argsort(keys, dim=-1, stable=True)
    small = keys.to(torch.uint8 if limit <= 2 else torch.int16)
    return torch.from_numpy(np.argsort(small.numpy(), axis=-1, kind="stable"))


class PairLayout(Classed):
    """Rows of items; the binary of a pair says that item `ahead` comes before (beats) item `behind`.

    Items of one class need no binary between them; of two classes the lower one is `ahead`.  `ahead`, `behind`: positions in
    `keys`, of which the larger comes first.
    """

    @kept
    def lower(self) -> Side | None:
        """The lower class of every row, where no row has more than two."""
        return Side.lower(self.classes)

    @property
    def low(self) -> Tensor | None:
        """Its items, BoolTensor[rows, n]."""
        return None if self.lower is None else self.lower.items

    @kept
    def size(self) -> int:
        """Number of binaries."""
        if self.lower is None:
            return int(self._counts.sum())
        return self.lower.pairs

    @kept
    def by_class(self) -> Tensor:
        """[rows, n]: item at each sorted place."""
        if self.lower is not None:
            return self.lower.ordered
        return torch.argsort(self.classes, dim=-1, stable=True)

    @kept
    def _sorted_classes(self) -> Tensor:
        return torch.gather(self.classes, 1, self.by_class).contiguous()

    @kept
    def first(self) -> Tensor:
        """Place where the own class begins, of each sorted place."""
        return torch.searchsorted(self._sorted_classes, self._sorted_classes)

    @kept
    def end(self) -> Tensor:
        """Place where the own class ends."""
        return torch.searchsorted(self._sorted_classes, self._sorted_classes, right=True)

    @kept
    def _counts(self) -> Tensor:
        return (self.n - self.end).reshape(-1)

    @kept
    def all_distinct(self) -> bool:
        """Whether every item is a class of its own."""
        return bool((self.end - self.first <= 1).all())

    @kept
    def items(self) -> Tensor:
        """Position in `keys` of the item at each sorted place, flat."""
        rows = torch.arange(self.n_rows, device=self.device).unsqueeze(1) * self.n
        return (self.by_class + rows).reshape(-1)

    @kept
    def sorted_ahead(self) -> Tensor:
        """Sorted place (flat) of the first item of each pair."""
        return torch.repeat_interleave(
            torch.arange(len(self._counts), device=self.device), self._counts, output_size=self.size
        )

    @kept
    def sorted_behind(self) -> Tensor:
        """Sorted place (flat) of the second item of each pair: the run from the end of the first one's class."""
        places = torch.arange(len(self._counts), device=self.device)
        begins = self.end.reshape(-1) + places // max(self.n, 1) * self.n - (self._counts.cumsum(0) - self._counts)
        return torch.arange(self.size, device=self.device) + begins[self.sorted_ahead]

    @kept
    def ahead(self) -> Tensor:
        return self.items[self.sorted_ahead]

    @kept
    def behind(self) -> Tensor:
        return self.items[self.sorted_behind]

    @kept
    def row_of(self) -> Tensor:
        return self.sorted_ahead // max(self.n, 1)

    @kept
    def grid(self) -> tuple[int, int] | None:
        """(P, N) when every row has P items of one class and N of another: pairs are [rows, P, N] then."""
        if not self.size or self.lower is None:
            return None
        p, most = self.lower.range
        return (p, self.n - p) if p == most < self.n else None

    def differences(self) -> Tensor:
        """c of every pair, with its autograd graph."""
        if self.grid is None:
            return self.keys[self.ahead] - self.keys[self.behind]
        p, _ = self.grid
        keys = self.keys[self.items].reshape(self.n_rows, self.n)
        return (keys[:, :p, None] - keys[:, None, p:]).reshape(-1)

    def ranked(self, rank: Tensor) -> Tensor:
        """The binaries of a given ranking (LongTensor[rows, n], place of each item)."""
        if self.grid is None:
            flat = rank.reshape(-1)
            return flat[self.ahead] < flat[self.behind]
        p, _ = self.grid
        places = torch.gather(rank, 1, self.by_class)
        return (places[:, :p, None] < places[:, None, p:]).reshape(-1)

    def compared(self, values: Tensor, otherwise: Tensor) -> Tensor:
        """The binaries by which of each pair has the larger of `values`, one an item; `otherwise` where they are equal."""
        if self.grid is None:
            one, other = values[self.ahead], values[self.behind]
        else:
            p, _ = self.grid
            rows = values[self.items].reshape(self.n_rows, self.n)
            one, other = rows[:, :p, None], rows[:, None, p:]
        return torch.where((one == other).reshape(-1), otherwise, (one > other).reshape(-1))

    def sorted_pair(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """Sorted places (flat) of both items of some pairs."""
        if self.grid is None:
            return self.sorted_ahead[numbers], self.sorted_behind[numbers]
        p, n = self.grid
        start, within = numbers // (p * n) * self.n, numbers % (p * n)
        return start + within // n, start + p + within % n

    def counts(self, bits: Tensor) -> Tensor:
        """Items of other classes ahead of the item at each sorted place, [A, rows, n], from BoolTensor[A, size]."""
        amount = len(bits)
        if self.grid is not None:
            p, n = self.grid
            wins, beaten = masks.true_along(bits.reshape(amount, self.n_rows, p, n))
            return torch.cat([n - wins, beaten], -1)
        count = torch.zeros(amount, self.n_rows * self.n, dtype=torch.long, device=self.device)
        if self.size:
            count.index_add_(1, self.sorted_behind, bits.long())
            count.index_add_(1, self.sorted_ahead, (~bits).long())
        return count.reshape(amount, self.n_rows, self.n)

    def flipped_counts(self, base: Tensor, flips: Tensor) -> Tensor:
        """The same from a base and flips: a flip of a pair moves one item up and one down."""
        count = self.counts(base.unsqueeze(0)).reshape(1, -1).expand(len(flips), -1).clone()
        if self.size and flips.numel():
            known = flips.clamp(min=0)
            change = torch.where(flips >= 0, 1 - 2 * base[known].long(), 0)  # +1: `ahead` now wins
            ahead, behind = self.sorted_pair(known)
            count.scatter_add_(1, behind, change)
            count.scatter_add_(1, ahead, -change)
        return count.reshape(len(flips), self.n_rows, self.n)

    def with_ahead(self, side: Side) -> Tensor:
        """The outcome [...] of the ranking in which the items of `side` come before all others."""
        raise NotImplementedError

    def detached(self) -> PairLayout:
        found = copy.copy(self)
        found.keys = self.keys.detach()
        return found

    def same_as(self, other: Layout) -> bool:
        return super().same_as(other) and isinstance(other, PairLayout) and torch.equal(self.classes, other.classes)

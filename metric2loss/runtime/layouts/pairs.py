"""Pairs of items from different classes, and how many items of other classes each item has ahead of it.

Built from classes by index, never as p x p masks: items are sorted by class, so the partners of an item are one run of
positions.  Pair lists of rows with two classes of the same sizes are a grid, whose sums need no index at all.
"""

from __future__ import annotations

import copy
from functools import cached_property

import torch
from torch import Tensor

from metric2loss.runtime.layouts.base import Layout


class PairLayout(Layout):
    """Rows of items; the binary of a pair says that item `ahead` comes before (beats) item `behind`.

    classes: LongTensor[rows, n], equal numbers are items that need no binary between them; the lower class is `ahead`.
    keys: autograd tensor [rows * n], larger comes first.  `ahead`, `behind`: positions in `keys`.
    """

    def __init__(self, classes: Tensor, keys: Tensor) -> None:
        self.device = classes.device
        self.keys = keys
        self.n_rows, self.n = classes.shape
        self.by_class = torch.argsort(classes, dim=-1, stable=True)  # [rows, n]: item at each sorted place
        sorted_classes = torch.gather(classes, 1, self.by_class).contiguous()
        self.first = torch.searchsorted(sorted_classes, sorted_classes)  # place where the own class begins
        self.end = torch.searchsorted(sorted_classes, sorted_classes, right=True)  # and where it ends
        counts = (self.n - self.end).reshape(-1)
        self.size = int(counts.sum())
        self._counts = counts
        self.classes = classes

    @cached_property
    def all_distinct(self) -> bool:
        """Whether every item is a class of its own."""
        return bool((self.end - self.first <= 1).all())

    @cached_property
    def items(self) -> Tensor:
        """Position in `keys` of the item at each sorted place, flat."""
        rows = torch.arange(self.n_rows, device=self.device).unsqueeze(1) * self.n
        return (self.by_class + rows).reshape(-1)

    @cached_property
    def sorted_ahead(self) -> Tensor:
        """Sorted place (flat) of the first item of each pair."""
        return torch.repeat_interleave(
            torch.arange(len(self._counts), device=self.device), self._counts, output_size=self.size
        )

    @cached_property
    def sorted_behind(self) -> Tensor:
        """Sorted place (flat) of the second item of each pair: the run from the end of the first one's class."""
        places = torch.arange(len(self._counts), device=self.device)
        begins = self.end.reshape(-1) + places // max(self.n, 1) * self.n - (self._counts.cumsum(0) - self._counts)
        return torch.arange(self.size, device=self.device) + begins[self.sorted_ahead]

    @cached_property
    def ahead(self) -> Tensor:
        return self.items[self.sorted_ahead]

    @cached_property
    def behind(self) -> Tensor:
        return self.items[self.sorted_behind]

    @cached_property
    def row_of(self) -> Tensor:
        return self.sorted_ahead // max(self.n, 1)

    @cached_property
    def grid(self) -> tuple[int, int] | None:
        """(P, N) when every row has P items of one class and N of another: pairs are [rows, P, N] then."""
        if not self.size:
            return None
        p = int(self.end[0, 0])
        middle = self.end[:, p - 1 : p + 1]
        two = bool((self.first[:, p:] == p).all() and (self.end[:, :p] == p).all() and (middle[:, -1] == self.n).all())
        return (p, self.n - p) if two else None

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

    def counts(self, bits: Tensor) -> Tensor:
        """Items of other classes ahead of the item at each sorted place, [A, rows, n], from BoolTensor[A, size]."""
        amount = len(bits)
        if self.grid is not None:
            p, n = self.grid
            wins = bits.reshape(amount, self.n_rows, p, n)
            return torch.cat([n - wins.sum(-1), wins.sum(-2)], -1)
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
            count.scatter_add_(1, self.sorted_behind[known], change)
            count.scatter_add_(1, self.sorted_ahead[known], -change)
        return count.reshape(len(flips), self.n_rows, self.n)

    def detached(self) -> PairLayout:
        found = copy.copy(self)
        found.keys = self.keys.detach()
        return found

    def same_as(self, other: Layout) -> bool:
        return super().same_as(other) and isinstance(other, PairLayout) and torch.equal(self.classes, other.classes)

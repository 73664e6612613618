"""Items that share a key, gathered: who belongs to which group, and padded lists of the members."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Groups:
    """Items sorted by key: the members of group i are `order[starts[i] : starts[i] + counts[i]]`."""

    of: Tensor  # the group of each item, 0 .. n-1 in the order of the keys
    order: Tensor
    starts: Tensor
    counts: Tensor

    @classmethod
    def by(cls, key: Tensor) -> Groups:
        """Group items by an integer key (a key per item)."""
        _, of, counts = torch.unique(key, return_inverse=True, return_counts=True)
        return cls(of, torch.argsort(of, stable=True), counts.cumsum(0) - counts, counts)

    def place(self) -> Tensor:
        """The place of each item inside its group, 0, 1, 2 …"""
        places = torch.empty_like(self.order)
        running = torch.arange(len(self.order), device=self.order.device)
        places[self.order] = running - self.starts[self.of[self.order]]
        return places

    def table(self) -> Tensor:
        """The members of every group, [groups, largest], padded with -1."""
        return self.members(torch.arange(len(self.counts), device=self.counts.device))

    def members(self, groups: Tensor) -> Tensor:
        """Members of the given groups ([…] of group numbers, -1 none), padded with -1 on a new last axis."""
        if not len(self.counts) or not groups.numel():
            return torch.full((*groups.shape, 1), -1, dtype=torch.long, device=groups.device)
        known = groups.clamp(min=0)
        counts = torch.where(groups >= 0, self.counts[known], 0)
        width = torch.arange(max(int(counts.max()), 1), device=groups.device)
        at = (self.starts[known].unsqueeze(-1) + width).clamp(max=len(self.order) - 1)
        return torch.where(width < counts.unsqueeze(-1), self.order[at], -1)


@dataclass(frozen=True)
class Rows:
    """The rows over which a separable metric is a mean; a pooled metric is one row."""

    count: int
    of: Tensor | None  # the row of each binary; None: all are in the one row

    def total(self, values: Tensor) -> Tensor:
        """Sum [..., L] over the binaries of each row: [..., rows]."""
        if self.of is None:
            return values.sum(-1, keepdim=True)
        return values.new_zeros((*values.shape[:-1], self.count)).index_add_(-1, self.of, values)

    def spread(self, values: Tensor, size: int) -> Tensor:
        """Give each binary the value of its row: [..., rows] to [..., L]."""
        if self.of is None:
            return values.expand(*values.shape[:-1], size)
        return values.index_select(-1, self.of)

    def of_flips(self, flips: Tensor) -> Tensor:
        """The row of each flip (padding counts as row 0)."""
        return torch.zeros_like(flips) if self.of is None else self.of[flips.clamp(min=0)]

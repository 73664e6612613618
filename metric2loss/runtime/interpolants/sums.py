"""Gradients by the keys of pairs that are never listed: sums over good or bad items, taken block by block.

Everything here is O(pairs) time and O(items) memory but for one block.  In formulas i is a good and j a bad item of one row,
x = key_i − key_j, u = sigmoid(x).
"""

from __future__ import annotations

import torch
from torch import Tensor

from metric2loss.runtime.kept import kept
from metric2loss.runtime.split import Block, Split


def link(x: Tensor, progress: float) -> Tensor:
    """(1 − u) u^p; `x` is overwritten where that saves a pass."""
    if progress == 0:
        return x.neg_().sigmoid_()
    up = torch.sigmoid(x)
    power = up.sqrt_() if progress == 0.5 else up.log_().mul_(progress).exp_()
    return power.mul_(x.neg_().sigmoid_())


def pulled(split: Split, progress: float) -> Tensor:
    """dL/dkeys of credit one for every binary."""
    totals = Totals(split)
    for block in split.blocks():
        totals.add(block, link(block.x, progress))
    return totals.gradient()


def missing(split: Split) -> float:
    """Σ (1 − u): how far the relaxed binaries are from the best ones."""
    return sum(float(block.x.neg_().sigmoid_().sum()) for block in split.blocks())


class Totals:
    """Σ_j of each good item and Σ_i of each bad one, of what blocks add."""

    def __init__(self, split: Split) -> None:
        self.split = split

    @kept
    def ups(self) -> Tensor:
        """Of the good items."""
        return torch.zeros_like(self.split.of_good)

    @kept
    def downs(self) -> Tensor:
        """Of the bad ones."""
        return torch.zeros_like(self.split.of_bad)

    def add(self, block: Block, pulls: Tensor) -> None:
        """Add −dL/dc of the block's pairs, [rows, goods, bads]."""
        there = self.split.there
        if there is None and pulls.shape[:2] == self.split.good.shape:  # the only block
            self.ups, self.downs = pulls.sum(2), pulls.sum(1)
            return
        self.ups[block.rows, block.goods] += pulls.sum(2)
        if there is None:
            self.downs[block.rows] += pulls.sum(1)
        else:
            mine = there[block.rows, block.goods]
            self.downs[block.rows] += torch.bmm(mine.unsqueeze(1), pulls).squeeze(1)

    def gradient(self) -> Tensor:
        """dL/dkeys, [R · n]."""
        return self.split.gradient(self.ups, self.downs)

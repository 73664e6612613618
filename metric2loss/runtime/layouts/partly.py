"""A comparison in which some elements compare a score with itself: those have no binary."""

from __future__ import annotations

import torch
from torch import Tensor

from metric2loss.runtime.layouts.base import Layout
from metric2loss.runtime.layouts.compare import CompareLayout


class PartlyFixed(Layout):
    """`inner` with binaries for the elements `free` only; the others keep what the user's comparison says.

    `s >= s[target]` holds for the target itself in every configuration; a binary there would let it be ranked zeroth.
    """

    kind = "compare"

    def __init__(self, inner: CompareLayout, free: Tensor, bits: Tensor) -> None:
        self.inner, self.free, self.scores = inner, free, inner.scores
        self.constant = bits.clone()
        self.constant[free] = False  # a configuration says nothing about the scores it was recorded at
        self.size, self.n_rows, self.device = len(free), inner.n_rows, inner.device

    @property
    def row_of(self) -> Tensor:
        return self.inner.row_of[self.free]

    @property
    def numel(self) -> int:
        return self.inner.numel

    def result(self, bits: Tensor) -> Tensor:
        every = self.constant.expand(len(bits), -1).clone()
        every[:, self.free] = bits
        return self.inner.result(every)

    def read(self, outcome: Tensor, op: str | None = None) -> Tensor:
        return self.inner.read(outcome, op)

    def same_as(self, other: Layout) -> bool:
        return (
            isinstance(other, PartlyFixed)
            and self.inner.same_as(other.inner)
            and torch.equal(self.free, other.free)
            and torch.equal(self.constant, other.constant)
        )

"""Pairs that need no list: rows whose best configuration has every item of one class ahead of all items of the other.

Accuracy, average precision, AUC, recall at k and heat maps are of this form.  A row of g good and b bad items has g · b
binaries, u_ij = sigmoid((key_i − key_j) / temperature) that good item i is ahead of bad item j.  What the interpolants need
of them are sums over i or over j, taken block by block: memory is that of a block, not that of all pairs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from metric2loss.runtime import masks
from metric2loss.runtime.kept import kept
from metric2loss.runtime.side import Side

_BLOCK = 2**17  # pairs in a block: it should stay in the cache
_FAR = 80.0  # a sigmoid at this distance is 0 or 1, and still a number in float32


@dataclass(frozen=True, eq=False)
class Block:
    """Pairs of some rows and some of their good items: the slices of both, and x = key_i − key_j, [rows, goods, bads]."""

    rows: slice
    goods: slice
    x: Tensor


@dataclass(frozen=True, eq=False)
class Split:
    """Rows of good and bad items.

    keys: autograd tensor [R · n], larger comes first.  side: the good items.  encoding: the binaries are the pairs of a row,
    or each row is one, the best of its good items against the best of the others.
    """

    keys: Tensor
    side: Side
    temperature: float = 1.0
    encoding: str = "pairs"

    @property
    def winners(self) -> Tensor:
        """The good items, BoolTensor[R, n]."""
        return self.side.items

    @kept
    def shape(self) -> tuple[int, int]:
        """Rows, and items of each."""
        return self.keys.numel() // max(self.side.width, 1), self.side.width

    @property
    def amounts(self) -> Tensor:
        """Number of good items of each row, LongTensor[R]."""
        return self.side.amounts

    @property
    def pairs(self) -> int:
        """Number of binaries."""
        return self.side.pairs

    @property
    def even(self) -> bool:
        """Whether all rows have as many good items."""
        least, most = self.side.range
        return least == most

    @kept
    def good(self) -> Tensor:
        """The good items of each row, LongTensor[R, most]; rows with fewer are padded with others."""
        if self.side.range == (1, 1):
            return self.side.first.unsqueeze(1)
        if self.shape[0] == 1 or self.even:
            return self.side.places.reshape(self.shape[0], -1)
        return masks.true_first(self.winners)[:, : self.side.range[1]]

    @kept
    def few(self) -> Tensor | None:
        """`good` where all rows have as many and that is a small part, else None."""
        least, most = self.side.range
        return self.good if 0 < least == most and most * 8 <= self.shape[1] else None

    @kept
    def bad(self) -> Tensor | None:
        """The bad items of the only row, LongTensor[1, b]; None with several rows: all items then, the good ones far behind."""
        return self.side.others.places.reshape(1, -1) if self.shape[0] == 1 else None

    @kept
    def there(self) -> Tensor | None:
        """Which entries of `good` are good items, as numbers [R, most]; None when all are."""
        if self.shape[0] == 1 or self.even:
            return None
        return torch.gather(self.winners, 1, self.good).to(self.values)

    @kept
    def values(self) -> Tensor:
        """The keys over the temperature without graph, [R, n]; never so far apart that a sigmoid underflows."""
        found = self.keys.detach().reshape(self.shape)
        found = found if found.dtype in (torch.float32, torch.float64) else found.float()
        return found / self.temperature if self.temperature != 1 else found

    @kept
    def of_good(self) -> Tensor:
        """Keys of the good items, [R, most]."""
        return torch.gather(self.values, 1, self.good)

    @kept
    def of_bad(self) -> Tensor:
        """Keys of the bad items: [1, b], or [R, n] with the good items so far behind that they count for nothing."""
        if self.bad is not None:
            return torch.gather(self.values, 1, self.bad)
        lowest = self.of_good.amin(1, keepdim=True) - _FAR
        if self.there is None:
            return self.values.clone().scatter_(1, self.good, lowest.expand(self.good.shape))
        return torch.where(self.winners, lowest, self.values)

    def blocks(self) -> Iterator[Block]:
        """All pairs, block by block."""
        rows, goods = self.good.shape
        width = max(self.of_bad.shape[1], 1)
        some = max(1, min(goods, _BLOCK // width))
        many = max(1, _BLOCK // (width * max(goods, 1))) if some == goods else 1
        for row in range(0, rows, many):
            for first in range(0, goods, some):
                here, which = slice(row, row + many), slice(first, first + some)
                x = self.of_good[here, which].unsqueeze(2) - self.of_bad[here].unsqueeze(1)
                yield Block(here, which, x.clamp_(-_FAR, _FAR) if self._wide else x)

    @kept
    def _wide(self) -> bool:
        low, high = self.values.aminmax()
        return self.bad is None or high.item() - low.item() > _FAR

    def gradient(self, ups: Tensor, downs: Tensor) -> Tensor:
        """dL/dkeys from −ups of the good items [R, most] and +downs of the bad ones, as wide as `of_bad`; [R · n]."""
        there = self.there
        ups = ups if there is None else ups * there
        if self.bad is None and there is None:
            found = downs.to(self.values).scatter(1, self.good, 0.0)
        elif self.bad is None:
            found = torch.where(self.winners, 0.0, downs.to(self.values))
        else:
            found = torch.zeros_like(self.values).scatter_(1, self.bad, downs.to(self.values))
        found.scatter_add_(1, self.good, -ups.to(self.values))
        return found.reshape(-1).div_(self.temperature) if self.temperature != 1 else found.reshape(-1)

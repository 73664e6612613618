"""Pairs that need no list: rows whose best configuration has every item of one class ahead of all items of the other.

Accuracy, average precision, AUC, recall at k and heat maps are of this form.  A row of g good and b bad items has g · b
binaries, u_ij = sigmoid((key_i − key_j) / temperature) that good item i is ahead of bad item j.  What the interpolants need
of them are sums over i or over j, taken block by block: memory is that of a block, not that of all pairs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

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

    keys: autograd tensor [R · n], larger comes first.  winners: BoolTensor[R, n], the good items.  encoding: the binaries
    are the pairs of a row, or each row is one, the best of its good items against the best of the others.
    """

    keys: Tensor
    winners: Tensor
    temperature: float = 1.0
    encoding: str = "pairs"

    @cached_property
    def amounts(self) -> Tensor:
        """Number of good items of each row, LongTensor[R]."""
        return self.winners.sum(1)

    @cached_property
    def pairs(self) -> int:
        """Number of binaries."""
        return int((self.amounts * (self.winners.shape[1] - self.amounts)).sum())

    @cached_property
    def even(self) -> bool:
        """Whether all rows have as many good items."""
        return bool((self.amounts == self.amounts[0]).all())

    @cached_property
    def good(self) -> Tensor:
        """The good items of each row, LongTensor[R, most]; rows with fewer are padded with others."""
        if len(self.winners) == 1 or self.even:
            return _places(self.winners).reshape(len(self.winners), -1)
        return _sides(~self.winners)[:, : int(self.amounts.max())]

    @property
    def few(self) -> Tensor | None:
        """`good` where all rows have as many and that is a small part, else None."""
        most = int(self.amounts[0])
        return self.good if self.even and 0 < most * 8 <= self.winners.shape[1] else None

    @cached_property
    def bad(self) -> Tensor | None:
        """The bad items of the only row, LongTensor[1, b]; None with several rows: all items then, the good ones far behind."""
        return _places(~self.winners).reshape(1, -1) if len(self.winners) == 1 else None

    @cached_property
    def there(self) -> Tensor | None:
        """Which entries of `good` are good items, as numbers [R, most]; None when all are."""
        if len(self.winners) == 1 or self.even:
            return None
        return torch.gather(self.winners, 1, self.good).to(self.values)

    @cached_property
    def values(self) -> Tensor:
        """The keys over the temperature without graph, [R, n]; never so far apart that a sigmoid underflows."""
        found = self.keys.detach().reshape(self.winners.shape)
        found = found if found.dtype in (torch.float32, torch.float64) else found.float()
        return found / self.temperature if self.temperature != 1 else found

    @cached_property
    def of_good(self) -> Tensor:
        """Keys of the good items, [R, most]."""
        return torch.gather(self.values, 1, self.good)

    @cached_property
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

    @cached_property
    def _wide(self) -> bool:
        low, high = self.values.aminmax()
        return self.bad is None or bool(high - low > _FAR)

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


def _places(mask: Tensor) -> Tensor:
    """The place in its row of each true entry of BoolTensor[rows, n], row by row."""
    if mask.device.type != "cpu":
        return mask.nonzero()[:, 1]
    return torch.from_numpy(np.flatnonzero(mask.numpy()) % mask.shape[1])  # several times as fast as torch's


def _sides(later: Tensor) -> Tensor:
    """Items of each row, those that are not `later` first, else in order: LongTensor[R, n]."""
    if later.device.type != "cpu":
        return torch.argsort(later.to(torch.uint8), dim=1, stable=True)
    return torch.from_numpy(np.argsort(later.numpy().view(np.uint8), axis=1, kind="stable"))

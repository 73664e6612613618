"""One side of every row: some of its items, counted and listed once, and the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from metric2loss.runtime import masks
from metric2loss.runtime.kept import kept


@dataclass(frozen=True, eq=False)
class Side:
    """Items of each row, BoolTensor[rows, n], and their number.  Of classes, the lower one: a row of one class is all of it."""

    items: Tensor
    amounts: Tensor

    @classmethod
    def of(cls, items: Tensor) -> Side:
        """These items."""
        return cls(items, masks.amounts(items))

    @classmethod
    def smaller(cls, yes: Tensor) -> Side:
        """Of truth values [rows, n], the side of each row that is not the larger one."""
        found, n = cls.of(yes), yes.shape[1]
        least, most = found.range
        if least > 0 and 2 * most <= n:
            return found
        right = found.amounts
        other = ((2 * right > n) & (right < n)) | (right == 0)
        return cls(yes ^ other.unsqueeze(1), torch.where(other, n - right, right)) if bool(other.any()) else found

    @classmethod
    def lower(cls, classes: Tensor) -> Side | None:
        """Of numbered classes [rows, n]; None where a row has more than two."""
        if not classes.numel():
            return cls.of(torch.zeros_like(classes, dtype=torch.bool))
        least, most = classes.aminmax(dim=1, keepdim=True)
        low = classes == least
        apart = 0 if not len(classes) or classes.dtype == torch.bool else int((most - least).max())
        return cls.of(low) if apart <= 1 or bool((low | (classes == most)).all()) else None

    @kept
    def width(self) -> int:
        """Number of items of a row, of this side and others."""
        return self.items.shape[1]

    def has(self, places: Tensor) -> Tensor:
        """Whether the items at the places LongTensor[A, rows] are of this side."""
        return torch.gather(self.items, 1, places.t()).t()

    @kept
    def range(self) -> tuple[int, int]:
        """The smallest and the largest number of items of a row."""
        if self.amounts.numel() == 1:
            return int(self.amounts), int(self.amounts)
        least, most = self.amounts.aminmax()
        return int(least), int(most)

    @kept
    def pairs(self) -> int:
        """The pairs of an item of this side and another of its row."""
        (least, most), n = self.range, self.width
        if least == most:
            return len(self.amounts) * least * (n - least)
        return int((self.amounts * (n - self.amounts)).sum())

    @property
    def mixed(self) -> bool:
        """Whether every row has items of this side and others."""
        least, most = self.range
        return 0 < least and most < self.width

    @kept
    def others(self) -> Side:
        """The items of each row that are not of this side."""
        return Side(self.items.logical_not(), self.amounts.neg().add_(self.width))

    @kept
    def places(self) -> Tensor:
        """The place in its row of each item, row by row."""
        return masks.places(self.items)

    @kept
    def ordered(self) -> Tensor:
        """The places of each row, those of this side first, else in order: LongTensor[rows, n]."""
        if len(self.items) == 1:
            return torch.cat([self.places, self.others.places]).unsqueeze(0)
        return masks.true_first(self.items)

    @kept
    def first(self) -> Tensor:
        """The place of the first item of each row (0 where there is none), LongTensor[rows]."""
        return masks.first(self.items)


class OneRow(Side):
    """Items of the only row, by truth values [n] of NumPy's: tensors are made when they are read."""

    width: int

    def __init__(self, told: np.ndarray) -> None:
        amount, n = int(np.count_nonzero(told)), len(told)
        self.__dict__.update(_told=told, range=(amount, amount), width=n, pairs=amount * (n - amount))

    @kept
    def _places(self) -> np.ndarray:
        return np.flatnonzero(self._told)  # type: ignore[attr-defined]

    @kept
    def items(self) -> Tensor:
        return torch.from_numpy(self._told).unsqueeze(0)  # type: ignore[attr-defined]

    @kept
    def amounts(self) -> Tensor:
        return torch.tensor([self.range[0]])

    @kept
    def others(self) -> Side:
        return OneRow(~self._told)  # type: ignore[attr-defined]

    @kept
    def places(self) -> Tensor:
        return torch.from_numpy(self._places)

    @kept
    def ordered(self) -> Tensor:
        assert isinstance(self.others, OneRow)
        return torch.from_numpy(np.concatenate([self._places, self.others._places])).unsqueeze(0)


class OneEach(Side):
    """One item of each row, by its place LongTensor[rows]; the truth values of all items are made when they are read."""

    width: int

    def __init__(self, first: Tensor, width: int) -> None:
        self.__dict__.update(first=first, range=(1, 1), width=width, pairs=first.shape[0] * (width - 1))

    def has(self, places: Tensor) -> Tensor:
        return places == self.first

    @kept
    def items(self) -> Tensor:
        none = torch.zeros(len(self.first), self.width, dtype=torch.bool, device=self.first.device)
        return none.scatter_(1, self.first.unsqueeze(1), True)

    @kept
    def amounts(self) -> Tensor:
        return torch.ones_like(self.first)

    @kept
    def others(self) -> Side:
        return _AllButOne(self)


class _AllButOne(Side):
    """The items that are not those of `OneEach`."""

    width: int

    def __init__(self, one: OneEach) -> None:
        amount = one.width - 1
        self.__dict__.update(others=one, range=(amount, amount), width=one.width, pairs=one.pairs)

    @kept
    def first(self) -> Tensor:
        return (self.others.first == 0).long()

    @kept
    def items(self) -> Tensor:
        return self.others.items.logical_not()

    @kept
    def amounts(self) -> Tensor:
        return torch.full_like(self.first, self.width - 1)

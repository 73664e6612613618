"""Order: the permutation is the stable argsort of positions, position = items of other classes ahead + place in the class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from metric2loss.runtime import masks
from metric2loss.runtime.kept import kept
from metric2loss.runtime.layouts.neighbours import Classes, Neighbours
from metric2loss.runtime.layouts.pairs import PairLayout, stable_order
from metric2loss.runtime.side import Side


@dataclass(frozen=True)
class Arrangement:
    """How the rows of items stand in the user's array: the axis ordered (None: the array flattened) and the other axes."""

    shape: tuple[int, ...]
    axis: int | None

    def rows(self, x: Tensor) -> Tensor:
        """[rows, n] of an array of this shape."""
        if self.axis is None or not self.shape:
            return x.reshape(1, -1)
        moved = x if self.axis in (-1, x.ndim - 1) else x.movedim(self.axis, -1)
        return moved if moved.ndim == 2 else moved.reshape(moved.shape[:-1].numel(), moved.shape[-1])

    def back(self, rows: Tensor) -> Tensor:
        """[A, rows, k] in the user's shape, [A, ..., k, ...]."""
        if self.axis is None or not self.shape:
            return rows[:, 0]
        axis = self.axis % len(self.shape)
        others = [size for place, size in enumerate(self.shape) if place != axis]
        return rows.reshape(len(rows), *others, rows.shape[-1]).movedim(-1, axis + 1)


class OrderLayout(PairLayout):
    """The index part of what argsort, sort, topk … return; `length` items of it."""

    kind = "order"

    def __init__(
        self, classes: Tensor | None, keys: Tensor, arrangement: Arrangement, length: int, low: Side | None = None
    ) -> None:
        super().__init__(classes, keys, low)
        self.arrangement = arrangement
        self.length = length

    @property
    def numel(self) -> int:
        return self.n_rows * self.n

    def result(self, bits: Tensor) -> Tensor:
        return self.permutations(self.counts(bits))

    def flipped(self, base: Tensor, flips: Tensor) -> Tensor:
        if self._has_neighbours(flips):
            return self._in_shape(self._beside([(base, flips)], self.counts(base.unsqueeze(0)).numpy()[:, 0]))
        return self.permutations(self.flipped_counts(base, flips))

    def around(self, bases: Sequence[tuple[Tensor, Tensor]], others: Tensor) -> Tensor:
        if not all(self._has_neighbours(flips) for _, flips in bases):
            return super().around(bases, others)
        found = self._beside(bases, self._counted(torch.stack([base for base, _ in bases])))
        random = self._two.merged(self._counted(others))
        return self._in_shape(np.concatenate([found, self._items[random]]))

    def _has_neighbours(self, flips: Tensor) -> bool:
        """Whether these are single flips of one order of two classes, which need no sorting again."""
        return self.n_rows == 1 == flips.shape[1] and self.grid is not None and self.device.type == "cpu"

    @property
    def _items(self) -> np.ndarray:
        """The items of the only row, the lower class first."""
        found: np.ndarray = self.by_class.numpy()[0]
        return found

    @kept
    def _two(self) -> Classes:
        """The two classes of the only row."""
        assert self.grid is not None
        return Classes(self.n, self.grid[0])

    def _counted(self, bits: Tensor) -> np.ndarray:
        """The counts of the only row, [A, n]."""
        assert self.grid is not None
        p, n = self.grid
        wins, beaten = masks.counted_along(bits.reshape(len(bits), p, n))
        return np.concatenate([n - wins, beaten], -1)

    def _beside(self, bases: Sequence[tuple[Tensor, Tensor]], count: np.ndarray) -> np.ndarray:
        """The items in order, [flips, n], at each base with each of its flips, from the counts at the bases."""
        assert self.grid is not None
        low, high = self.grid
        turned = np.concatenate([flips.numpy()[:, 0] for _, flips in bases])
        known = np.maximum(turned, 0)
        of = np.repeat(np.arange(len(bases)), [len(flips) for _, flips in bases])
        up = ~np.concatenate([base.numpy()[np.maximum(flips.numpy()[:, 0], 0)] for base, flips in bases])
        sequence = Neighbours(count, self._two)
        return sequence.orders(of, known // high, known % high + low, up, turned, self._items)

    def _in_shape(self, items: np.ndarray) -> Tensor:
        return self.arrangement.back(torch.from_numpy(items[:, : self.length]).unsqueeze(1))

    def permutations(self, count: Tensor) -> Tensor:
        """[A, ...] in the user's shape, from items ahead of each sorted place [A, rows, n]."""
        positions = count if self.all_distinct else count + self._places(count)
        order = stable_order(positions, self.n + self.n)[..., : self.length]
        items = torch.gather(self.by_class.expand(len(count), -1, -1), 2, order)
        return self.arrangement.back(items)

    def placed(self, items: Tensor) -> Tensor:
        """Outcomes of given rankings of the items, LongTensor[A, rows, n]."""
        if items.shape[1] == 1 and (self.arrangement.axis is None or len(self.arrangement.shape) < 2):
            return items[:, 0, : self.length]
        return self.arrangement.back(items[..., : self.length])

    def with_ahead(self, side: Side) -> Tensor:
        return self.placed(side.ordered.unsqueeze(0))[0]

    def _places(self, count: Tensor) -> Tensor:
        """Place of each item inside its class, fewest ahead first.  Classes are runs, so one sort serves them all."""
        if self.low is not None:
            order = stable_order((self.first > 0) * (self.n + 1) + count, 2 * (self.n + 1))
        else:
            order = stable_order(self.first * (self.n + 1) + count, (self.n + 1) ** 2)
        places = torch.arange(self.n, device=self.device) - self.first
        return torch.empty_like(count).scatter_(2, order, places.expand_as(count))

"""Orders of a base configuration and of its single flips, sorted once: a flip exchanges one or two pairs of neighbours.

Items of two classes stand at positions, items of the other class ahead plus place within the own class, which differ within
a class.  A flip of the pair (i, j) moves one of them back by one position and the other forward; each passes at most one item
of the other class, and items of one class are interchangeable.
"""

from __future__ import annotations

import numpy as np

Ints = np.ndarray


_SHORT = 2**14  # rows of fewer items: twice their number and a place fit one number of four bytes


class Classes:
    """The places 0 ... n - 1 of two classes, the `low` of the lower one first, as NumPy sorts them fast: inside numbers."""

    def __init__(self, n: int, low: int) -> None:
        self.shift = n.bit_length()
        self.kind = np.int32 if n < _SHORT else np.int64
        self.low, self.places = low, np.arange(n, dtype=self.kind)
        self.above: Ints = (self.places >= low) * self.kind(n)  # keeps the classes apart
        self.within: Ints = self.places - (self.places >= low) * self.kind(low) - self.above

    def in_order(self, numbers: Ints, places: Ints) -> Ints:
        """The places of numbers [..., n] below 2 n in order, equal ones by place."""
        found: Ints = self._sorted(numbers, places) & ((1 << self.shift) - 1)
        return found

    def by_count(self, count: Ints) -> tuple[Ints, Ints, Ints]:
        """In each class, the items with the fewest ahead first: counts, places, positions, [..., n]."""
        both = self._sorted(count.astype(self.kind) + self.above, self.places)
        counts = both >> self.shift
        return counts - self.above, both & ((1 << self.shift) - 1), counts + self.within

    def merged(self, count: Ints) -> Ints:
        """The places in order [..., n], from how many items of the other class are ahead of each."""
        _, places, positions = self.by_count(count)
        return self.in_order(positions, places)

    def _sorted(self, numbers: Ints, places: Ints) -> Ints:
        found: Ints = np.sort((numbers << self.shift) | places, axis=-1)
        return found


class Neighbours:
    """The sequences of some configurations: `count` [bases, n] items of the other class are ahead of each, the lower ones first.

    They stand one after the other, far enough apart that no item meets one of another: counts and positions of the b-th are
    those of the first, moved by b times the width.
    """

    def __init__(self, count: Ints, classes: Classes) -> None:
        low, (bases, n) = classes.low, count.shape
        counts, places, positions = classes.by_count(count)
        width = 2 * n + 4
        apart = np.arange(bases).reshape(-1, 1) * width
        self.count, self.beyond = count + apart, bases * width  # where numbers of the higher class begin
        self.sorted, self.positions = self._by_class(counts + apart, low), self._by_class(positions + apart, low)
        self.taken = _taken(self.positions, 2 * self.beyond)
        sequence = classes.in_order(positions, classes.places)
        at = sequence + np.arange(bases).reshape(-1, 1) * n
        self.order = places.reshape(-1)[at]
        place = np.empty_like(at)
        place.reshape(-1)[at] = classes.places
        self.place = np.concatenate([place[:, :low].reshape(-1), place[:, low:].reshape(-1)])

    def _by_class(self, numbers: Ints, low: int) -> Ints:
        """Those of the lower class of all bases, then those of the other, which are larger."""
        return np.concatenate([numbers[:, :low].reshape(-1), (numbers[:, low:] + self.beyond).reshape(-1)])

    def orders(self, base: Ints, ahead: Ints, behind: Ints, up: Ints, flips: Ints, items: Ints) -> Ints:
        """`items` in order, [flips, n], of the base-th configuration with a flip (-1: none).

        `ahead` (of the lower class) comes before `behind` where `up`, else after.
        """
        found: Ints = items[self.order][base]
        rows = np.flatnonzero(flips >= 0)
        of, side = base[rows], up[rows]
        first, second = self.count[of, ahead[rows]], self.count[of, behind[rows]] + self.beyond
        back, forward = np.where(side, second, first), np.where(side, first, second)
        self._exchange(found, rows, back, forward, side)
        return found

    def _exchange(self, found: Ints, rows: Ints, back: Ints, forward: Ints, side: Ints) -> None:
        """In each row, an item of such a count goes back by a position and one of the other class forward.

        side: whether the first is of the higher class.
        """
        last = np.searchsorted(self.sorted, back, "right") - 1
        first = np.searchsorted(self.sorted, forward)
        p, q = self.positions[last], self.positions[first]
        apart = np.where(side, self.beyond, -self.beyond)  # from a position of one class to that of the other
        step = q + apart - p - side
        together = (step == 0) | (step == 1)
        one = together | self.taken[p - apart + side + 1]
        other = ~together & self.taken[q + apart - side + 1]
        for which, place in ((one, self.place[last]), (other, self.place[first] - 1)):
            row, at = rows[which], place[which]
            found[row, at], found[row, at + 1] = found[row, at + 1], found[row, at]


def _taken(positions: Ints, n: int) -> Ints:
    """Whether position k − 1 is taken, at k."""
    found = np.zeros(n + 4, dtype=bool)
    found[positions + 1] = True
    return found

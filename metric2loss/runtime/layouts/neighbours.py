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
        return self._sorted(numbers, places) & ((1 << self.shift) - 1)

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
        return np.sort((numbers << self.shift) | places, axis=-1)


class Neighbours:
    """The sequence of one configuration: `count` items of the other class are ahead of each, those of the lower class first."""

    def __init__(self, count: Ints, classes: Classes) -> None:
        low = classes.low
        self.count, self.low = count.astype(classes.kind), low
        counts, places, positions = classes.by_count(count)
        self.sorted = [counts[:low], counts[low:]]
        self.taken = [_taken(part, 2 * len(count)) for part in (positions[:low], positions[low:])]
        sequence = classes.in_order(positions, classes.places)
        self.place = np.empty_like(sequence)
        self.place[sequence] = classes.places
        self.order = places[sequence]

    def orders(self, ahead: Ints, behind: Ints, up: Ints, flips: Ints, items: Ints) -> Ints:
        """`items` in order, [flips, n]: `ahead` (of the lower class) comes before `behind` where `up`, else after; -1: no flip."""
        found = np.repeat(items[self.order][None], len(flips), axis=0)
        for side in (True, False):
            rows = np.flatnonzero((flips >= 0) & (up == side))
            if len(rows):
                back, forward = (behind[rows], ahead[rows]) if side else (ahead[rows], behind[rows])
                self._exchange(found, rows, back, forward, int(side))
        return found

    def _exchange(self, found: Ints, rows: Ints, back: Ints, forward: Ints, side: int) -> None:
        """In each row, one item goes back by a position and one of the other class forward; `side` is the class of the first."""
        starts = (0, self.low)
        last = np.searchsorted(self.sorted[side], self.count[back], "right") - 1
        first = np.searchsorted(self.sorted[1 - side], self.count[forward])
        p, q = self.count[back] + last, self.count[forward] + first
        place_b, place_f = self.place[last + starts[side]], self.place[first + starts[1 - side]]
        together = (q == p + side) | (q == p + side + 1)
        one = together | self.taken[1 - side][p + side + 1]
        other = ~together & self.taken[side][q - side + 1]
        for which, place in ((one, place_b), (other, place_f - 1)):
            row, at = rows[which], place[which]
            found[row, at], found[row, at + 1] = found[row, at + 1], found[row, at]


def _taken(positions: Ints, n: int) -> Ints:
    """Whether position k − 1 is taken, at k."""
    found = np.zeros(n + 4, dtype=bool)
    found[positions + 1] = True
    return found

"""Orders of a base configuration and of its single flips, sorted once: a flip exchanges one or two pairs of neighbours.

Items of two classes stand at positions, items of the other class ahead plus place within the own class, which differ within
a class.  A flip of the pair (i, j) moves one of them back by one position and the other forward; each passes at most one item
of the other class, and items of one class are interchangeable.
"""

from __future__ import annotations

import numpy as np

Ints = np.ndarray


class Neighbours:
    """The sequence of one configuration: `count` items of the other class are ahead of each, the `low` of the lower class first."""

    def __init__(self, count: Ints, low: int) -> None:
        self.count, self.low = count, low
        orders = [np.argsort(part, kind="stable") for part in (count[:low], count[low:])]
        self.sorted = [count[:low][orders[0]], count[low:][orders[1]]]
        positions = [part + np.arange(len(part)) for part in self.sorted]
        self.taken = [_taken(part, 2 * len(count)) for part in positions]
        sequence = np.argsort(np.concatenate([2 * positions[0], 2 * positions[1] + 1]), kind="stable")
        self.place = np.empty_like(sequence)
        self.place[sequence] = np.arange(len(sequence))
        self.order = np.concatenate([orders[0], orders[1] + low])[sequence]

    def orders(self, ahead: Ints, behind: Ints, up: Ints, flips: Ints) -> Ints:
        """The items in order, [flips, n]: `ahead` (of the lower class) comes before `behind` where `up`, else after; -1: no flip."""
        found = np.repeat(self.order[None], len(flips), axis=0)
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

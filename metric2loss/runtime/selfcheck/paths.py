"""Looks for a jump on the way from one set of scores to another, by halving."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np

_LEAST = 1e-4  # smaller changes are not looked at


def edge(value: Callable[[float], float], places: int, halvings: int) -> tuple[float, float, float]:
    """The largest jump that was found, and the two places on either side of it; 0 where the value is continuous there.

    places: of the way, that are looked at first.  A change that halves with the way is no jump.
    """
    shares = np.linspace(0.0, 1.0, places + 1).tolist()
    values = [value(share) for share in shares]
    changes = [_apart(a, b) for a, b in pairwise(values)]
    place = int(np.argmax(changes))
    low, high = shares[place], shares[place + 1]
    first, last = values[place], values[place + 1]
    least = max(_LEAST, 0.05 * changes[place])
    for _ in range(halvings):
        if _apart(first, last) <= least:
            return 0.0, low, high
        middle = (low + high) / 2
        between = value(middle)
        if _apart(first, between) >= _apart(between, last):
            high, last = middle, between
        else:
            low, first = middle, between
    found = _apart(first, last)
    return (found if found > least else 0.0), low, high


def _apart(a: float, b: float) -> float:
    return abs(a - b) if math.isfinite(a) and math.isfinite(b) else 0.0

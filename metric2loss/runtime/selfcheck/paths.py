"""Looks for a jump on the way from one set of scores to another, by halving."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np

_PLACES = 8  # of the way that are looked at first


def edge(value: Callable[[float], float], doubles: bool) -> tuple[float, float, float]:
    """The largest jump that was found, and the two places on either side of it; 0 where the value is continuous there.

    A change that halves with the way is no jump.
    """
    shares = np.linspace(0.0, 1.0, _PLACES + 1).tolist()
    values = [value(share) for share in shares]
    changes = [_apart(a, b) for a, b in pairwise(values)]
    place = int(np.argmax(changes))
    low, high = shares[place], shares[place + 1]
    first, last = values[place], values[place + 1]
    for _ in range(24 if doubles else 18):
        if _apart(first, last) <= 1e-6:
            return 0.0, low, high
        middle = (low + high) / 2
        between = value(middle)
        if _apart(first, between) >= _apart(between, last):
            high, last = middle, between
        else:
            low, first = middle, between
    return _apart(first, last), low, high


def _apart(a: float, b: float) -> float:
    return abs(a - b) if math.isfinite(a) and math.isfinite(b) else 0.0

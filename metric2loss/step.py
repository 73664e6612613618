"""Turns a score difference into a binary variable in the way the current reading says; nothing else is discontinuous.

A rule rewrites one step operation around the marker `step(difference, tied)`.  What the marker returns is decided by
the reading in force: `Record` the hard binary (and keeps the difference), `Replay` the binaries of a given
configuration, `Relax` a sigmoid.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

Value = Any  # a NumPy array, a torch tensor or a Python number: rules are written against all of them


class Reading(Protocol):
    """What `step` means while this reading is in force."""

    def step(self, difference: Value, tied: Value) -> Value: ...


@dataclass
class Record:
    """`[difference > 0]`, and `tied` (what the user's own operation decided) where the difference is zero."""

    differences: list[Value] = field(default_factory=list)
    binaries: list[Value] = field(default_factory=list)

    def step(self, difference: Value, tied: Value) -> Value:
        binary = (difference > 0) | ((difference == 0) & tied)
        self.differences.append(difference)
        self.binaries.append(binary)
        return binary


@dataclass
class Replay:
    """The binaries of a given configuration, in the order they were recorded; the differences are ignored."""

    binaries: list[Value]
    read: int = 0

    def step(self, difference: Value, tied: Value) -> Value:
        self.read += 1
        return self.binaries[self.read - 1]


@dataclass(frozen=True)
class Relax:
    """`sigmoid(difference / temperature)`, for programs whose remainder is itself differentiable."""

    temperature: float = 1.0

    def step(self, difference: Value, tied: Value) -> Value:
        return 1.0 / (1.0 + math.e ** (-difference / self.temperature))


_current: ContextVar[Any] = ContextVar("metric2loss_reading", default=None)


def current() -> Any:
    """The reading in force, None outside of any."""
    return _current.get()


@contextmanager
def reading(chosen: Any) -> Iterator[Any]:
    """Puts a reading in force for the lines of a `with` block."""
    token = _current.set(chosen)
    try:
        yield chosen
    finally:
        _current.reset(token)


def step(difference: Value, tied: Value = False) -> Value:
    """The binary variable of `difference` under the current reading."""
    chosen = current()
    if chosen is None:
        return (difference > 0) | ((difference == 0) & tied)
    return chosen.step(difference, tied)

"""The vocabulary of generated modules: `steps.order.differences(...)` in f, `steps.order.result(...)` in g.

Each operation is also callable, `steps.order(x, at=("order", i))`, for programs in one piece: under `steps.record()` it keeps
its differences in a tape and returns the hard outcome, under `steps.replay(binaries)` it returns the outcome of those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metric2loss import step
from metric2loss.runtime import comparing, ranking, thresholds
from metric2loss.runtime.arrays import Array
from metric2loss.runtime.batched import in_batch, is_batched, spread
from metric2loss.runtime.recorded import Differences, Given
from metric2loss.runtime.tape import Tape

__all__ = [
    "Tape",
    "arranged",
    "array",
    "binning",
    "call",
    "choose",
    "compare",
    "numpy",
    "order",
    "picked",
    "real",
    "record",
    "replay",
    "rounding",
    "select",
    "sign",
    "turns",
]


@dataclass
class Recording:
    """The record reading of a program in one piece; `uses` counts what is stored at one place."""

    tape: Tape
    uses: dict[Any, int] = field(default_factory=dict)

    def place(self, at: tuple[Any, ...]) -> tuple[Any, ...]:
        """Where the n-th execution of a site with these keys is kept."""
        self.uses[at] = self.uses.get(at, 0) + 1
        return at if self.uses[at] == 1 else (*at[:-1], f"{at[-1]}, run {self.uses[at]}")


@dataclass
class Replaying(Recording):
    """The replay reading: outcomes come from the leaves of `tape`."""


@contextmanager
def record() -> Iterator[Tape]:
    """Inside, called steps run the user's operation and keep their differences in the tape."""
    tape = Tape()
    with step.reading(Recording(tape)):
        yield tape


@contextmanager
def replay(binaries: Any) -> Iterator[None]:
    """Inside, called steps return the outcome of the given binaries (a recorded tape, or `configuration.binaries`)."""
    with step.reading(Replaying(binaries)):
        yield


class Operation:
    """One step operation, by the function that finds its differences."""

    def __init__(self, name: str, differences: Callable[..., Differences]) -> None:
        self.name = name
        self.differences = differences

    def result(self, binaries: Differences | Given, op: str | None = None) -> Any:
        """What the user's call returns at the current configuration."""
        return binaries.read(op)

    def __call__(self, *args: Any, at: tuple[Any, ...] = (), **kwargs: Any) -> Any:
        reading = step.current()
        op = args[1] if self.name == "compare" and isinstance(args[1], str) else None
        if isinstance(reading, Replaying):
            return reading.tape[reading.place(at)].read(op)
        found = self.differences(*args, **kwargs)
        if isinstance(reading, Recording):
            reading.tape[reading.place(at)] = found
        return found.read(op)

    def __repr__(self) -> str:
        return f"steps.{self.name}"


order = Operation("order", ranking.order)
choose = Operation("choose", ranking.choose)
compare = Operation("compare", comparing.compare)
sign = Operation("sign", comparing.sign)
rounding = Operation("rounding", thresholds.rounding)
binning = Operation("binning", thresholds.binning)


def call(function: Callable[..., Any], *args: Any, at: tuple[Any, ...], **kwargs: Any) -> Any:
    """A rewritten helper of a program in one piece: its steps are kept in a tape of their own, under `at`."""
    reading = step.current()
    if not isinstance(reading, Recording):
        return function(*args, **kwargs)
    with step.reading(type(reading)(reading.tape[reading.place(at)])):
        return function(*args, **kwargs)


def turns() -> Iterator[int]:
    """0, 1, 2, …: the turns of what the user wrote as a `while` loop."""
    return count()


def real(x: Any) -> Any:
    """`float(x)` in f: one number in float64 that keeps its gradient."""
    if isinstance(x, Array) and x.active:
        return x.reshape(()).astype(np.float64)
    if isinstance(x, Tensor) and x.requires_grad:
        return x.reshape(()).double()
    return float(x)


def numbers(x: Any) -> Any:
    """`x.tolist()` and `x.item()` in f: in float64, as Python's numbers are, and with its gradient."""
    if isinstance(x, Array) and x.active:
        return x.astype(np.float64)
    if isinstance(x, Tensor) and x.requires_grad:
        return x.double()
    return x


def numpy(x: Any) -> Any:
    """`x.numpy()` in f: the exact ndarray beside the tensor that keeps its gradient."""
    if isinstance(x, Tensor) and x.requires_grad:
        return Array(x.detach().cpu().numpy(), x.cpu())
    return x.numpy() if isinstance(x, Tensor) else x


def array(x: Any) -> Any:
    """`x`, fit to be indexed by and written with step results when many configurations are evaluated together."""
    if not in_batch() or isinstance(x, Array):
        return x
    if isinstance(x, Tensor):
        return spread(x)
    return Array(np.asarray(x))


def select(condition: Any, then: Any, otherwise: Any) -> Any:
    """`then if condition else otherwise`, also where configurations evaluated together differ in the condition."""
    if isinstance(condition, Array) and condition.batched:
        return _each(lambda a, b: np.where(condition, a, b), then, otherwise)
    if isinstance(condition, Tensor) and is_batched(condition):
        return _each(lambda a, b: torch.where(condition, torch.as_tensor(a), torch.as_tensor(b)), then, otherwise)
    return then if condition else otherwise


def arranged(items: Any, order: Any) -> list[Any]:
    """`[items[k] for k in order]`: what Python's `sorted` lists, for an order that may differ between configurations."""
    listed = list(items)
    if not isinstance(order, (Array, Tensor)):
        return [listed[int(k)] for k in order]
    return [picked(listed, k) for k in order]


def picked(items: Any, place: Any) -> Any:
    """`items[place]` for a place that may differ between configurations evaluated together."""
    listed = list(items)
    if not isinstance(place, (Array, Tensor)) or not in_batch():
        return listed[int(place)]
    if listed and isinstance(listed[0], tuple):
        return tuple(picked(column, place) for column in zip(*listed))
    return array(np.asarray([getattr(x, "exact", x) for x in listed]))[place]


def _each(choose_one: Callable[[Any, Any], Any], then: Any, otherwise: Any) -> Any:
    if type(then) is tuple:
        return tuple(_each(choose_one, a, b) for a, b in zip(then, otherwise))
    return choose_one(then, otherwise)

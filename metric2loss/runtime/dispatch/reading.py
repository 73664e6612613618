"""The reading of live code: steps are met as they happen, recorded in a tape by place, or answered from one.

`Dispatch` is put in force by `step.reading`.  The torch function mode, the protocols of `arrays.Array` and the stand-ins for
Python's own functions ask it; the rules are those of generated code (`runtime.steps`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metric2loss import step
from metric2loss.diagnostics import MetricError
from metric2loss.runtime.arrays import Array
from metric2loss.runtime.dispatch.places import Place, here
from metric2loss.runtime.failures import failure
from metric2loss.runtime.indexing import deep
from metric2loss.runtime.ranking import passive
from metric2loss.runtime.steps import Operation
from metric2loss.runtime.tape import Tape

SITES = 4000  # executed steps of one run; a Python loop over more pairs than this is better met by an order


class UnseenStep(Exception):
    """A replay came to a step that was not recorded."""


@dataclass
class Dispatch:
    """One run of live code.

    tree: recording, the open tape; replaying, the closed one with an outcome at every place.  frozen: places that only guard;
    their outcome is kept as it was recorded.  supposed: passive arrays that may be what an order gathers.
    """

    tree: Tape
    recording: bool
    frozen: frozenset[Place] = frozenset()
    supposed: tuple[Any, ...] = ()
    invariant: Mapping[Any, Any] = field(default_factory=dict)
    met: dict[Place, int] = field(default_factory=dict)
    leaks: list[MetricError] = field(default_factory=list)
    asleep: bool = False

    @property
    def awake(self) -> bool:
        """Whether operations are met: rules, which use the same ones, run asleep."""
        return not self.asleep

    def step(self, difference: Any, tied: Any) -> Any:
        """A rule's own marker, met outside of `meet`: rules run on plain values here."""
        return (difference > 0) | ((difference == 0) & tied)

    @contextmanager
    def sleeping(self) -> Iterator[None]:
        """Inside, nothing is intercepted: rules use the same operations."""
        before, self.asleep = self.asleep, True
        try:
            yield
        finally:
            self.asleep = before

    def meet(self, operation: Operation, *args: Any, native: Callable[[], Any] | None = None, **kwargs: Any) -> Any:
        """The outcome of one step: what the user's operation returns, or what the given configuration says it does."""
        with self.sleeping():
            place = here(operation.name)
            self.met[place] = self.met.get(place, 0) + 1
            key = (*place, self.met[place])
            if not self.recording:
                return self._given(key)
            found = operation.differences(*args, **kwargs)
            if place in self.frozen:
                found = passive(torch.as_tensor(found.read()), found.library)
            self.tree[key] = found
            self._affordable()
            return found.read() if native is None else native()

    def _given(self, key: tuple[Any, ...]) -> Any:
        try:
            return self.tree[key].read()
        except KeyError:
            raise UnseenStep(f"{key[0]} runs {key[2]} times, which was not recorded") from None

    def _affordable(self) -> None:
        amount = sum(self.met.values())
        if amount > SITES:
            raise self.leak("M2L401", f"more than {SITES:,} steps are executed one by one", "each needs Python to run it")

    def leak(self, code: str, message: str, why: str = "", hint: str = "") -> MetricError:
        """An error at the user's line, kept: code that swallows exceptions must not swallow it."""
        error = failure(code, message, why, hint)
        self.leaks.append(error)
        return error

    def lost(self, what: str) -> MetricError:
        """A call that returned something no gradient reaches, for which there is no rule."""
        return self.leak(
            "M2L301",
            f"no rule for `{what}` with a score in it",
            "its result depends on the scores, and neither a gradient nor a binary variable says how",
            "declare the function that calls it with metric2loss.order_invariant when only the order of scores matters",
        )


def current() -> Dispatch | None:
    """The dispatch in force and awake."""
    reading = step.current()
    return reading if isinstance(reading, Dispatch) and not reading.asleep else None


def is_active(x: Any) -> bool:
    """Whether a value depends on the scores as a real number."""
    if isinstance(x, Tensor):
        return x.requires_grad
    return isinstance(x, Array) and x.active


def any_active(*values: Any) -> bool:
    """The same for anything inside of arguments."""
    return any(is_active(part) for part in deep(values))


def plain(x: Any) -> Any:
    """The value without its graph."""
    if isinstance(x, Tensor):
        return x.detach()
    return x.exact if isinstance(x, Array) and not x.batched else x


def rewrapped(values: Any, array: np.ndarray | None = None) -> Any:
    """A tensor of the user's program as what NumPy code computes with."""
    return Array(values.detach().cpu().numpy().copy() if array is None else array, values)

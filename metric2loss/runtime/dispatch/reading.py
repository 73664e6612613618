"""The reading of live code: steps are met as they happen, recorded in a tape by place, or answered from one.

`Dispatch` is put in force by `step.reading`.  The torch function mode, the protocols of `arrays.Array` and the stand-ins for
Python's own functions ask it; the rules are those of generated code (`runtime.steps`).
"""

from __future__ import annotations

import linecache
import operator
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch._C import _functorch

from metric2loss import step
from metric2loss.diagnostics import MetricError
from metric2loss.runtime import steps
from metric2loss.runtime.arrays import Array, Element
from metric2loss.runtime.batched import is_batched
from metric2loss.runtime.comparing import beside
from metric2loss.runtime.dispatch.places import Place, here, where
from metric2loss.runtime.elements import elements
from metric2loss.runtime.failures import failure
from metric2loss.runtime.ranking import passive
from metric2loss.runtime.steps import Operation
from metric2loss.runtime.tape import Tape, leaves
from metric2loss.runtime.unseen import UnseenStep

MARK = "_metric2loss_scored"  # of a tensor: which entries are scores, where not all are
OVERWRITTEN = "_metric2loss_overwritten"  # of a tensor: that none is any more, though its graph does not know
SITES = 50_000  # executed steps of one run; a Python loop over more pairs than this is better met by an order


class Singles:
    """The comparisons of two numbers at one place, in the order in which they are met."""

    def __init__(self, op: str, outcomes: Any) -> None:
        self.op = op
        self.torch_like = False
        self._pairs: list[tuple[Any, Any]] = []
        self._read = 0
        self._outcomes = outcomes
        if outcomes is not None and not (isinstance(outcomes, Tensor) and is_batched(outcomes)):
            self._outcomes = outcomes if isinstance(outcomes, Array) else list(outcomes)

    def compared(self, left: Any, right: Any) -> Any:
        """The outcome on plain numbers; the operands are kept."""
        self._pairs.append((beside(left, right), beside(right, left)))
        return _BY_SIGN[self.op](plain(left), plain(right))

    def outcome(self, place: Place) -> Any:
        """The given outcome of the next comparison."""
        number = self._read
        self._read += 1
        if number >= len(self._outcomes):
            raise UnseenStep(f"{place[0]} runs more often than it was recorded")
        return self._outcomes[number]

    def operands(self) -> tuple[Any, str, Any]:
        """Both sides stacked, in the library of the first."""
        left, right = (_stacked(side) for side in zip(*self._pairs))
        return left, self.op, right


_BY_SIGN = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}


def _stacked(values: tuple[Any, ...]) -> Any:
    """Numbers as one array or tensor."""
    if any(isinstance(x, Tensor) for x in values):
        return torch.stack([_tensor(x).reshape(()) for x in values])
    exact = np.array([plain(x) for x in values])
    if not any(isinstance(x, Array) for x in values):
        return exact
    if all(isinstance(x, Element) for x in values):
        return Array(exact, elements(values))
    return Array(exact, torch.stack([_tensor(x).reshape(()) for x in values]))


def _tensor(x: Any) -> Tensor:
    return x if isinstance(x, Tensor) else x.tensor if isinstance(x, Array) else torch.as_tensor(x)


def _shape(x: Any) -> tuple[int, ...]:
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


@dataclass
class Dispatch:
    """One run of live code.

    tree: recording, the open tape; replaying, the closed one with an outcome at every place.  frozen: places that only guard;
    their outcome is kept as it was recorded.  supposed: passive arrays that may be what an order gathers.  buffers: fresh arrays
    can have scores written into them.  scalar_loops: loops that are not run for all iterations at once.
    """

    tree: Tape
    recording: bool
    frozen: frozenset[Place] = frozenset()
    supposed: tuple[Any, ...] = ()
    buffers: bool = False
    scalar_loops: frozenset[str] = frozenset()
    invariant: Mapping[Any, Any] = field(default_factory=dict)
    met: dict[Place, int] = field(default_factory=dict)
    leaks: list[MetricError] = field(default_factory=list)
    single: dict[tuple[str, int, str], Singles] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)  # order-invariant calls, and the binaries of their ranks
    label: str = ""  # the place of every step, where the program has no lines of its own
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

    def meet(
        self,
        operation: Operation,
        *args: Any,
        native: Callable[[], Any] | None = None,
        guard: bool = False,
        **kwargs: Any,
    ) -> Any:
        """The outcome of one step: what the user's operation returns, or what the given configuration says it does.

        guard: the outcome is kept as it was recorded, without binaries.
        """
        before, self.asleep = self.asleep, True
        try:
            place = (f"{self.label} {operation.name}", 0) if self.label else here(operation.name)
            number = self.met[place] = self.met.get(place, 0) + 1
            if operation is steps.compare and not _shape(args[0]) and not _shape(args[2]):
                return self._single(place, *args)
            key = (*place, number)
            if not self.recording:
                return (
                    operation.differences(*args, **kwargs).read() if self._left_over(place, args) else self._given(key)
                )
            found = operation.differences(*(_apart(x) for x in args), **kwargs)
            if guard or place in self.frozen:
                found = passive(torch.as_tensor(found.read()), found.library)
            self.tree[key] = found
            self._affordable()
            return found.read() if native is None else native()
        finally:
            self.asleep = before

    def compared(self, left: Any, op: str, right: Any) -> Any:
        """A comparison of two numbers, of which one is a score: what `meet` does, for loops that meet thousands of them."""
        place = (f"{self.label} compare", 0) if self.label else here("compare")
        self.met[place] = self.met.get(place, 0) + 1
        before, self.asleep = self.asleep, True
        try:
            return self._single(place, left, op, right)
        finally:
            self.asleep = before

    def binaries(self) -> int:
        """Binary variables recorded so far."""
        return sum(leaf.layout.size for _, leaf in leaves(self.tree) if leaf is not None)

    def _single(self, place: Place, left: Any, op: str, right: Any) -> Any:
        """A comparison of two numbers: all of one place share a leaf, for loops meet thousands of them.

        A place of a library may compare in several ways: `Series.between` asks for >= and for <= where pandas compares.
        """
        key = (*place, op)
        known = self.single.get(key)
        if known is None:
            known = self.single[key] = Singles(op, None if self.recording else self._given(key))
            if self.recording:
                self._refuse_sorting(place)
                self.tree[key] = None
        if not self.recording:
            return known.outcome(place)
        return known.compared(left, right)

    def _refuse_sorting(self, place: Place) -> None:
        """A sort written in C compares what it has not sorted yet: which pairs, depends on the outcomes."""
        text = linecache.getline(*where(place))
        if any(word in text for word in (".sort(", "argsort(", "searchsorted(", "bisect", "insort")) or _ranks():
            raise self.leak(
                "M2L301",
                "a list or a column of scores is sorted or searched, entry by entry",
                "list.sort, bisect and pandas compare scores themselves, other pairs for every order",
                "use sorted(...), numpy or torch: rank or cut the scores before they are put into a table",
            )

    def finish(self) -> Tape:
        """The tape, with the comparisons of numbers stacked."""
        with self.sleeping():
            for key, found in self.single.items():
                place = key[:2]
                done = steps.compare.differences(*found.operands())
                self.tree[key] = passive(torch.as_tensor(done.read()), done.library) if place in self.frozen else done
        return self.tree

    def _left_over(self, place: Place, args: tuple[Any, ...]) -> bool:
        """Whether scores are met here that steps had overwritten when the run was recorded, as in `p[p > 0.5] = 1`."""
        overwritten = any((x._scored if isinstance(x, Array) else getattr(x, MARK, None)) is not None for x in args)
        return overwritten and not any(key[:2] == place for key, _ in leaves(self.tree))

    def _given(self, key: tuple[Any, ...]) -> Any:
        try:
            return self.tree[key].read()
        except UnseenStep:
            raise UnseenStep(f"{key[0]} ({key[2]}) was not recorded") from None

    def _affordable(self) -> None:
        amount = sum(self.met.values())
        if amount > SITES:
            raise self.leak(
                "M2L401", f"more than {SITES:,} steps are executed one by one", "each needs Python to run it"
            )

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
        while is_batched(x):  # the graph is that of the value inside
            x = _functorch.get_unwrapped(x)
        return bool(x.requires_grad) and not getattr(x, OVERWRITTEN, False)
    return isinstance(x, Array) and (x.active or (x.batched and is_active(x.tensor)))


def _ranks() -> bool:
    """Whether pandas is ranking: its C code compares what it has not sorted yet."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "rank" and str(frame.f_globals.get("__name__", "")).startswith("pandas."):
            return True
        frame = frame.f_back
    return False


def _apart(x: Any) -> Any:
    """A score that the user's program may write into later, when its differences still need it."""
    return x.clone() if isinstance(x, Tensor) and x.requires_grad and not is_batched(x) else x


def any_active(*values: Any) -> bool:
    """The same for anything inside of arguments."""
    for value in values:
        kind = type(value)
        if kind in PLAIN or (kind is Tensor and not value.requires_grad and not is_batched(value)):
            continue
        if kind is tuple or kind is list:
            if any_active(*value):
                return True
        elif kind is dict:
            if value and any_active(*value.values()):
                return True
        elif is_active(value):
            return True
    return False


PLAIN = frozenset((int, float, bool, str, type(None), slice, torch.dtype, type, type(...)))


def plain(x: Any) -> Any:
    """The value without its graph."""
    if isinstance(x, Tensor):
        with torch._C.DisableTorchFunction():
            return x.detach()
    return x.exact if isinstance(x, Array) and not x.batched else x


def rewrapped(values: Tensor) -> Array:
    """A tensor of the user's program as what NumPy code computes with."""
    with torch._C.DisableTorchFunction():
        return Array(values.detach().cpu().numpy().copy(), values)

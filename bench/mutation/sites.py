"""Mutants of metrics that are run as they are: the n-th place where a step is met is met wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from bench.mutation import alterations
from metric2loss.runtime import steps
from metric2loss.runtime.arrays import Array
from metric2loss.runtime.dispatch import places
from metric2loss.runtime.dispatch.numpy_protocol import Live
from metric2loss.runtime.dispatch.reading import plain

_FLIPPED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "!=", "!=": "=="}
_TIE = {">": ">=", ">=": ">", "<": "<=", "<=": "<"}
KINDS = (
    "not met",
    "kept as recorded",
    "one binary lost",
    "operator turned",
    "operator's tie",
    "operands exchanged",
    "sign of the operand",
    "ties the other way",
    "result reversed",
    "inverse permutation",
)


class _Operation:
    """An operation whose differences are altered."""

    def __init__(self, operation: Any, change: Any) -> None:
        self.name, self._operation, self._change = operation.name, operation, change

    def differences(self, *args: Any, **kwargs: Any) -> Any:
        return self._change(self._operation.differences(*args, **kwargs))


class Mutant(Live):
    """The reading with one place met wrongly."""

    kind = ""
    place: Any = None

    def meet(self, operation: Any, *args: Any, native: Any = None, guard: bool = False, **kwargs: Any) -> Any:
        with self.sleeping():
            here = (f"{self.label} {operation.name}", 0) if self.label else places.here(operation.name)
        if here != self.place or guard:
            return super().meet(operation, *args, native=native, guard=guard, **kwargs)
        if self.kind == "not met":
            with self.sleeping():
                return operation.differences(*_plainly(args), **kwargs).read()
        if self.kind == "kept as recorded":
            return super().meet(operation, *args, native=native, guard=True, **kwargs)
        if self.kind in ("one binary lost", "ties the other way"):
            change = alterations.without_one if self.kind == "one binary lost" else alterations.other_ties
            altered: Any = _Operation(operation, change)
            return super().meet(altered, *args, guard=guard, **kwargs)
        if self.kind in ("result reversed", "inverse permutation"):
            found = super().meet(operation, *args, native=native, guard=guard, **kwargs)
            return (alterations.reversed_ if self.kind == "result reversed" else alterations.inverse)(found)
        return super().meet(operation, *_changed(self.kind, operation, args), guard=guard, **kwargs)


# it must look like the runtime's own code: what lies above it on the stack is the place of the step
Mutant.meet.__code__ = Mutant.meet.__code__.replace(co_filename=places.__file__)


def _changed(kind: str, operation: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
    if kind == "sign of the operand":
        return (-args[0], *args[1:])
    if operation is not steps.compare:
        return args
    left, op, right = args
    if kind == "operands exchanged":
        return right, op, left
    return left, (_FLIPPED if kind == "operator turned" else _TIE).get(op, op), right


def _plainly(args: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(plain(x) if isinstance(x, (torch.Tensor, Array)) else x for x in args)


def applies(kind: str, place: Any) -> bool:
    """Whether the kind says anything about a step of this operation."""
    operation = place[0].rpartition(" ")[2]
    if kind in ("operator turned", "operator's tie", "operands exchanged"):
        return bool(operation == "compare")
    if kind == "inverse permutation":
        return bool(operation == "order")
    return True


def mutants(loss: Any, arguments: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """(kind, place, loss class) for every place that has binaries."""
    criterion = loss()
    configuration = criterion.record(**arguments)
    met = dict.fromkeys((leaf.key[0], leaf.key[1]) for leaf in configuration.leaves() if leaf.stop > leaf.start)
    for place in met:
        for kind in KINDS:
            if applies(kind, place):
                yield kind, str(place[0]), _mutated(loss, kind, place)


def _mutated(loss: Any, kind: str, place: Any) -> Any:
    reading = type("Mutant", (Mutant,), {"kind": kind, "place": place})

    def _reading(self: Any, tree: Any, recording: bool) -> Any:
        return reading(tree, recording, (self.plan.frozen if self.plan else frozenset()))

    return type(loss.__name__, (loss,), {"_reading": _reading, "__module__": loss.__module__})

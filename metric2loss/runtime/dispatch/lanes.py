"""Runs all iterations of a Python loop over scores at once: one lane an iteration, one step for each comparison written.

    for i in range(n):
        for j in range(n):
            if labels[i] > labels[j]:
                right += scores[i] > scores[j]

has one lane for every pair whose labels differ, in the order of the loop, and compares them all in one call.  What is not
known before the scores are (a comparison of scores) masks lanes; what is, leaves lanes out.  Sums are taken in the order of
the loop.  Loops that `loops` does not find fit, or that meet other values than arrays of numbers here, run as they are.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from metric2loss.diagnostics import MetricError
from metric2loss.runtime.arrays import Array
from metric2loss.runtime.dispatch.lane_expressions import Expressions, Level
from metric2loss.runtime.dispatch.lane_values import Unfit, Value, added_as, outer
from metric2loss.runtime.dispatch.loops import CONVERSIONS, Loop
from metric2loss.runtime.dispatch.reading import Dispatch, current
from metric2loss.runtime.lenient import many

LOOPS: dict[str, Loop] = {}  # by file and place
MOST = 4_000_000  # lanes


class LoopUnfit(BaseException):
    """The loop has to run as it is, and steps were met before that was found out: the whole run begins again without lanes for this loop."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def run(key: str) -> tuple[Any, ...] | None:
    """What the loop's sums come to; None where it has to run as it is."""
    reading = current()
    if reading is None or key in reading.scalar_loops:
        return None
    frame = sys._getframe(1)
    loop = LOOPS[key]
    try:
        found = _Lanes(loop, frame.f_locals, frame.f_globals, reading)
    except (Unfit, TypeError):  # torch has types that NumPy lacks
        return None
    try:
        with np.errstate(all="ignore"):
            found.loop(loop.node, 0, None)
        return tuple(found.result(name) for name in loop.sums)
    except MetricError:
        raise
    except (Unfit, ArithmeticError, AttributeError, LookupError, NotImplementedError, TypeError, ValueError) as error:
        raise LoopUnfit(key) from error


@dataclass
class _Lanes(Expressions):
    loop_: Loop
    local: dict[str, Any]
    shared: dict[str, Any]
    reading: Dispatch

    def __post_init__(self) -> None:
        self.levels = [Level(-1, np.zeros(1, dtype=np.int64))]
        scored = False
        for name in self.loop_.names:
            if name in CONVERSIONS or name in ("range", "zip", "enumerate"):
                if self._defined(name):
                    raise Unfit
                continue
            given = self._named(name)
            self.tensors = self.tensors or isinstance(given, Tensor)
            self.values[name] = value = outer(given)
            scored = scored or (isinstance(value.data, Array) and many(value.data))
        for name in self.loop_.sums:
            given = self._named(name)
            number = isinstance(given, (int, float, np.number)) and not isinstance(given, bool)
            if not number and not (isinstance(given, Array) and not given.ndim):
                raise Unfit
            given = given.exact[()] if isinstance(given, Array) and not many(given) else given
            self.values[name] = Value(given, 0, isinstance(given, Array), type(given) in (int, float))
        if not scored or (self.tensors and not self.loop_.constant):
            raise Unfit

    def _defined(self, name: str) -> bool:
        """Whether a name of Python's is the function's or its module's own."""
        try:
            self._named(name)
        except Unfit:
            return False
        return True

    def _named(self, name: str) -> Any:
        if name in self.local:
            return self.local[name]
        try:
            return self.shared[name]
        except KeyError:
            raise Unfit from None

    def result(self, name: str) -> Any:
        """The sum as what the loop would have left."""
        value = self.values[name]
        data = value.data
        if isinstance(data, Array):
            return data
        return data.item() if value.plain and isinstance(data, np.generic) else data

    # --- statements

    def loop(self, node: ast.For, level: int, mask: Value | None) -> None:
        columns, inner = self._iterated(node.iter, level)
        self.levels[inner].mask = None if mask is None else self._at(mask, inner)
        targets = node.target.elts if isinstance(node.target, ast.Tuple) else [node.target]
        self._bound(targets, columns if isinstance(node.target, ast.Tuple) else [columns])
        self.block(node.body, inner, self.levels[inner].mask)

    def _bound(self, targets: list[ast.expr], columns: Any) -> None:
        if not isinstance(columns, list) or len(columns) != len(targets):
            raise Unfit
        for target, column in zip(targets, columns):
            if isinstance(target, ast.Tuple):
                self._bound(target.elts, column)
            elif isinstance(column, Value) and isinstance(target, ast.Name):
                self.values[target.id] = column
            else:
                raise Unfit

    def block(self, body: list[ast.stmt], level: int, mask: Value | None) -> None:
        for place, part in enumerate(body):
            if isinstance(part, ast.For):
                self.loop(part, level, mask)
            elif isinstance(part, ast.If):
                goes_on = isinstance(part.body[-1], ast.Continue)
                taken = part.body[:-1] if goes_on else part.body
                otherwise = body[place + 1 :] if goes_on else part.orelse
                self.branches(part.test, taken, otherwise, level, mask)
                if goes_on:
                    return
            elif isinstance(part, ast.AugAssign):
                self.add(part, level, mask)
            elif isinstance(part, ast.Assign):
                assert isinstance(part.targets[0], ast.Name)
                self.assign(part.targets[0].id, self.value(part.value, level), level, mask)

    def branches(
        self, test: ast.expr, taken: list[ast.stmt], otherwise: list[ast.stmt], level: int, mask: Value | None
    ) -> None:
        tests = list(test.values) if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) else [test]
        if not otherwise and len(tests) > 1:  # what is known without scores first: fewer lanes
            first = [part for part in tests if not self._varies(part)] + [part for part in tests if self._varies(part)]
            nested: list[ast.stmt] = taken
            for part in reversed(first):
                nested = [ast.If(part, nested, [])]
            nested_if = nested[0]
            assert isinstance(nested_if, ast.If)
            test, taken = nested_if.test, nested_if.body
        holds = self.truth(test, level)
        if not holds.varies:
            chosen = np.broadcast_to(np.asarray(self._at(holds, level).data, dtype=bool), len(self.levels[level].up))
            for kept, body in ((chosen, taken), (~chosen, otherwise)):
                if body and kept.any():
                    inner = self._under(level, kept.nonzero()[0])
                    self.block(body, inner, None if mask is None else self._at(mask, inner))
            return
        self.block(taken, level, self._both(mask, holds, level))
        if otherwise:
            self.block(otherwise, level, self._both(mask, Value(~self._spread(holds, level), level, True), level))

    def _both(self, mask: Value | None, other: Value, level: int) -> Value:
        data = self._spread(other, level)
        return Value(data if mask is None else np.logical_and(self._spread(mask, level), data), level, True)

    def add(self, node: ast.AugAssign, level: int, mask: Value | None) -> None:
        assert isinstance(node.target, ast.Name)
        name, amount = node.target.id, self.value(node.value, level)
        if not len(self.levels[level].up):
            return
        old = self.values[name]
        target, data = self._spread(old, old.level), self._spread(amount, level)
        kind = added_as(old, amount, target, data)
        if kind.kind == "f" and kind != np.float64 and name in self.loop_.repeatedly:
            raise Unfit  # the order of the additions tells
        data = data.astype(kind)
        data = -data if isinstance(node.op, ast.Sub) else data
        if mask is not None:
            data = np.where(self._spread(mask, level), data, np.zeros((), dtype=kind))
        target = target.copy().astype(kind)
        if isinstance(data, Array) and not isinstance(target, Array):
            target = Array(target)
        np.add.at(target, self._map(level, old.level), data)
        if isinstance(target, Array) and not many(target):
            target = target.exact
        varies = old.varies or amount.varies or mask is not None
        made = target if old.level else target[0]
        self.values[name] = Value(made, old.level, varies, old.plain and amount.plain)

    def assign(self, name: str, new: Value, level: int, mask: Value | None) -> None:
        old = self.values.get(name)
        if old is not None and old.level > level:
            old = None  # of an earlier, inner loop
        if (old is None or old.level == level) and mask is None:
            self.values[name] = Value(self._spread(new, level), level, new.varies, new.plain)
            return
        if old is None:
            old = Value(
                np.zeros(len(self.levels[level].up), dtype=self._spread(new, level).dtype), level, False, new.plain
            )
        places = self._map(level, old.level)
        if len(np.unique(places)) != len(places):
            raise Unfit  # several iterations write to one name: the last one counts
        target, data = self._spread(old, old.level), self._spread(new, level)
        if mask is not None:
            data = np.where(self._spread(mask, level), data, target[places])
        kind = np.result_type(target.dtype, data.dtype)
        target = Array(target.exact.copy(), target._tensor) if isinstance(target, Array) and target.active else target
        target = target.astype(kind) if not isinstance(target, Array) else target.copy().astype(kind)
        if isinstance(data, Array) and not isinstance(target, Array):
            target = Array(target)
        target[places] = data
        made = target if not isinstance(target, Array) or many(target) else target.exact
        self.values[name] = Value(
            made, old.level, old.varies or new.varies or mask is not None, old.plain and new.plain
        )

    # --- lanes

    def _under(self, below: int, up: np.ndarray) -> int:
        self.levels.append(Level(below, up))
        return len(self.levels) - 1

    def _affordable(self, iterations: int) -> None:
        if iterations > MOST:
            error = self.reading.leak(
                "M2L401",
                f"a loop over scores has {iterations:,} iterations",
                "each compares scores, in every evaluation of the metric",
                "use smaller batches, or sort the scores once instead of comparing every pair",
            )
            error.final = True  # type: ignore[attr-defined]  # whatever the route, running it takes too long
            raise error

    def _iterated(self, node: ast.expr, level: int) -> tuple[Any, int]:
        """The values of the loop's targets, and the new level."""
        lengths = self._lengths(node, level)
        size = len(self.levels[level].up)
        counts = np.broadcast_to(np.maximum(np.asarray(lengths, dtype=np.int64), 0), size)
        self._affordable(int(counts.sum()))
        inner = self._under(level, np.repeat(np.arange(size), counts))
        number = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
        return self._columns(node, level, inner, number), inner

    def _lengths(self, node: ast.expr, level: int) -> Any:
        if not isinstance(node, ast.Call):
            found = self.value(node, level)
            if not isinstance(found.data, (np.ndarray, Array)) or found.data.ndim <= bool(found.level):
                raise Unfit
            return found.data.shape[1 if found.level else 0]
        assert isinstance(node.func, ast.Name)
        if node.func.id == "range":
            start, stop, step = self._range(node, level)
            return -(-(stop - start) // step)
        parts = node.args[:1] if node.func.id == "enumerate" else node.args
        lengths = [self._lengths(part, level) for part in parts]
        return np.minimum.reduce(np.broadcast_arrays(*lengths)) if len(lengths) > 1 else lengths[0]

    def _range(self, node: ast.Call, level: int) -> tuple[Any, Any, Any]:
        parts = [self._at(self.value(part, level), level) for part in node.args]
        if any(part.varies or np.asarray(part.data).dtype.kind not in "iu" for part in parts):
            raise Unfit
        given = [np.asarray(part.data) for part in parts]
        start, stop = (given[0], given[1]) if len(given) > 1 else (np.asarray(0), given[0])
        step = given[2] if len(given) > 2 else np.asarray(1)
        if step.ndim or not step:
            raise Unfit
        return start, stop, step

    def _columns(self, node: ast.expr, level: int, inner: int, number: np.ndarray) -> Any:
        if not isinstance(node, ast.Call):
            over = self.value(node, level)
            index = (self._map(inner, over.level), number) if over.level else number
            return Value(over.data[index], inner, over.varies, over.plain)
        assert isinstance(node.func, ast.Name)
        if node.func.id == "range":
            start, _, step = self._range(node, level)
            start = start[self.levels[inner].up] if start.ndim else start
            return Value(start + number * step, inner, False, True)
        if node.func.id == "enumerate":
            given = self._at(self.value(node.args[1], level), level) if len(node.args) > 1 else Value(0)
            start = given.data[self.levels[inner].up] if given.level else given.data
            return [Value(number + start, inner, False, True), self._columns(node.args[0], level, inner, number)]
        return [self._columns(part, level, inner, number) for part in node.args]

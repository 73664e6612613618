"""Expressions of a loop's text, for all lanes at once: names, arithmetic, comparisons, look-ups and conversions."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from metric2loss.runtime.arrays import Array
from metric2loss.runtime.dispatch.lane_values import ARITHMETIC, Unfit, Value, kind_of, of_one_kind, outer, refused


@dataclass
class Level:
    """Lanes; up: the lane of the level below that each belongs to."""

    below: int
    up: np.ndarray
    mask: Value | None = None  # of the lanes that run, where that depends on scores


@dataclass(kw_only=True)
class Expressions:
    """What names stand for, by level."""

    values: dict[str, Value] = field(default_factory=dict)
    levels: list[Level] = field(default_factory=list)
    tensors: bool = False  # some of the numbers are torch's

    def _map(self, level: int, target: int) -> np.ndarray:
        """The lane of a level below for each lane."""
        places = np.arange(len(self.levels[level].up))
        while level != target:
            if level <= 0:
                raise Unfit
            places = self.levels[level].up[places]
            level = self.levels[level].below
        return places

    def _at(self, value: Value, level: int) -> Value:
        if value.level in (0, level):
            return value
        return Value(value.data[self._map(level, value.level)], level, value.varies, value.plain)

    def _spread(self, value: Value, level: int) -> Any:
        """One entry for every lane."""
        data = self._at(value, level).data
        if value.level:
            return data if data.ndim == 1 else refused()
        data = data if isinstance(data, Array) else np.asarray(data)
        if data.ndim:
            raise Unfit
        return np.broadcast_to(data, (len(self.levels[level].up),)) + np.zeros((), dtype=data.dtype)

    def _varies(self, node: ast.expr) -> bool:
        return any(
            isinstance(part, ast.Name) and part.id in self.values and self.values[part.id].varies
            for part in ast.walk(node)
        )

    def value(self, node: ast.expr, level: int) -> Value:
        if isinstance(node, ast.Constant):
            return Value(node.value, 0, False, True)
        if isinstance(node, ast.Name):
            value = self.values[node.id]
            return self._at(value, level)
        if isinstance(node, ast.Attribute):
            owner = self.value(node.value, level)
            return outer(getattr(owner.data if not owner.level else refused(), node.attr))
        if isinstance(node, ast.Subscript):
            return self._looked_up(node, level)
        if isinstance(node, ast.BoolOp):
            parts = [self.value(part, level) for part in node.values]
            if any(kind_of(part) != "b" for part in parts):
                raise Unfit  # `a or b` is one of the two, no truth value
            return self._either_or_all(node.op, level, parts)
        if isinstance(node, ast.Compare) or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)):
            return self.truth(node, level)
        if isinstance(node, ast.UnaryOp):
            one = self.value(node.operand, level)
            return self._computed(ARITHMETIC[type(node.op)], level, one)
        if isinstance(node, ast.BinOp):
            left, right = self.value(node.left, level), self.value(node.right, level)
            if isinstance(node.op, (ast.Div, ast.FloorDiv, ast.Mod)) and (
                right.varies or not np.all(np.asarray(right.data) != 0)
            ):
                raise Unfit  # Python may raise where NumPy does not
            return self._computed(ARITHMETIC[type(node.op)], level, left, right)
        if isinstance(node, ast.IfExp):
            test, one, other = (
                self.truth(node.test, level),
                self.value(node.body, level),
                self.value(node.orelse, level),
            )
            return self._computed(np.where, level, test, one, other)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return self._converted(node.func.id, self.value(node.args[0], level), level)
        raise Unfit

    def _computed(self, function: Callable[..., Any], level: int, *parts: Value) -> Value:
        """All numbers, lane by lane; what is one for all stays one."""
        highest = max(part.level for part in parts)
        there = [self._at(part, level) for part in parts]
        if highest and any(getattr(part.data, "ndim", 0) != bool(part.level) for part in there):
            raise Unfit  # rows, where lanes hold a number each
        found = function(*of_one_kind(function, there, self.tensors))
        return Value(found, highest, any(part.varies for part in parts), all(part.plain for part in parts))

    def _converted(self, name: str, x: Value, level: int) -> Value:
        if name == "len":
            return Value(x.data.shape[1 if x.level else 0], 0, False, True)
        if name == "abs":
            return self._computed(abs, level, x)
        kind = {"float": np.float64, "int": np.int64, "bool": np.bool_}[name]
        if name == "int" and not x.varies and not np.isfinite(np.asarray(x.data)).all():
            raise Unfit
        if x.varies and (name != "float" or isinstance(x.data, Array)):
            return Value(x.data.astype(kind), x.level, True, True)
        return Value(np.asarray(x.data).astype(kind), x.level, x.varies, True)

    def _looked_up(self, node: ast.Subscript, level: int) -> Value:
        base, index = self.value(node.value, level), []
        for part in node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]:
            found = self._at(self.value(part, level), level)
            if found.varies or np.asarray(found.data).dtype.kind not in "iu":
                raise Unfit
            index.append(found)
        several = base.level or any(part.level for part in index)
        if several and any(np.ndim(part.data) != bool(part.level) for part in index):
            raise Unfit  # rows, where lanes hold a number each
        if hasattr(base.data, "__getitem__") and not hasattr(base.data, "dtype") and not several:
            return outer(base.data[tuple(part.data for part in index) if len(index) > 1 else index[0].data])
        if not isinstance(base.data, (np.ndarray, Array)):
            raise Unfit
        places = tuple(part.data for part in index)
        if base.level:
            places = (np.arange(len(self.levels[level].up)), *places)
        data = base.data[places if len(places) > 1 else places[0]]
        return Value(data, level if several else 0, base.varies, base.plain)

    def truth(self, node: ast.expr, level: int) -> Value:
        """Whether an expression holds, lane by lane."""
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            values = [self.value(part, level) for part in sides]
            found = [
                self._computed(ARITHMETIC[type(op)], level, one, other)
                for op, one, other in zip(node.ops, values, values[1:])
            ]
            return found[0] if len(found) == 1 else self._reduced(np.logical_and, level, found)
        if isinstance(node, ast.BoolOp):
            return self._either_or_all(node.op, level, [self.truth(part, level) for part in node.values])
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return self._computed(np.logical_not, level, self.truth(node.operand, level))
        found_one = self.value(node, level)
        if isinstance(found_one.data, Array) and found_one.data.active:
            raise Unfit
        return self._computed(lambda x: np.asarray(x) != 0 if not isinstance(x, Array) else x != 0, level, found_one)

    def _either_or_all(self, op: ast.boolop, level: int, parts: list[Value]) -> Value:
        return self._reduced(np.logical_and if isinstance(op, ast.And) else np.logical_or, level, parts)

    def _reduced(self, function: Callable[..., Any], level: int, parts: list[Value]) -> Value:
        found = parts[0]
        for part in parts[1:]:
            found = self._computed(function, level, found, part)
        return found

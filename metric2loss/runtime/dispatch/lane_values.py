"""Numbers in the lanes of a loop, and what arithmetic on them gives: what Python and NumPy give number by number.

The numbers of a loop are Python's own or NumPy's, and the two meet by other rules than arrays do: a Python number takes the
type of the NumPy number beside it, and truth values of Python add up.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from metric2loss.runtime.arrays import Array
from metric2loss.runtime.dispatch.reading import rewrapped
from metric2loss.runtime.indexing import deep
from metric2loss.runtime.lenient import many

_NUMBERS: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
ARITHMETIC: dict[type, Callable[..., Any]] = {
    **_NUMBERS,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_CALCULATES = frozenset((*_NUMBERS.values(), abs))
_PYTHON: dict[str, Any] = {"b": False, "i": 0, "u": 0, "f": 0.0}


class Unfit(Exception):
    """The loop has to run as it is."""


def refused() -> Any:
    raise Unfit


@dataclass(frozen=True)
class Value:
    """A number in every lane of a level, or one for all (level 0).  varies: it may depend on the scores.  plain: Python's own."""

    data: Any
    level: int = 0
    varies: bool = False
    plain: bool = False


def outer(x: Any) -> Value:
    """A value from outside of the loop: an array of numbers, one number, or something to look up numbers in."""
    if isinstance(x, Tensor):
        x = rewrapped(x) if x.requires_grad else x.detach().cpu().numpy()
    elif isinstance(x, (list, tuple)):
        return _listed(x)
    if isinstance(x, Array) and not many(x):
        x = x.exact  # of many configurations, what they share
    if isinstance(x, np.ndarray) and (type(x) is not np.ndarray or x.dtype.kind not in _PYTHON):
        raise Unfit
    return Value(x, 0, isinstance(x, Array), not isinstance(x, (np.ndarray, np.generic, Array)))


def _listed(x: Any) -> Value:
    """A list of numbers of one kind as an array."""
    parts = deep(x)
    if not parts or not all(isinstance(part, (int, float, np.number, np.bool_, Array)) for part in parts):
        raise Unfit
    if any(many(part) for part in parts):
        if any(isinstance(part, (list, tuple)) for part in x):
            raise Unfit
        return Value(np.stack([part if isinstance(part, Array) else np.asarray(part) for part in x]), 0, True, False)
    kinds = {type(part) for part in parts}
    made = np.asarray(x)
    if len(kinds) > 1 or made.dtype.kind not in _PYTHON:
        raise Unfit
    return Value(made, 0, False, kinds <= {bool, int, float})


def kind_of(value: Value) -> str:
    """NumPy's letter for the kind of number."""
    return _type_of(value).kind


def _type_of(value: Value) -> np.dtype[Any]:
    found: np.dtype[Any] = value.data.dtype if isinstance(value.data, Array) else np.asarray(value.data).dtype
    return found


def of_one_kind(function: Callable[..., Any], parts: list[Value], tensors: bool) -> list[Any]:
    """The operands as they meet: truth values of Python as numbers, a number of Python in the type of NumPy's beside it."""
    calculates = function in _CALCULATES
    if calculates:
        parts = [_counted(part) for part in parts]
    theirs = [_type_of(part) for part in parts if not part.plain]
    if not theirs:
        return [part.data for part in parts]
    of_integers = calculates and any(kind.kind in "iu" for kind in theirs)
    if tensors and of_integers and (function is operator.truediv or any(kind_of(part) == "f" for part in parts)):
        raise Unfit  # torch makes other floats of integers
    return [_beside(part, np.result_type(*theirs), calculates) for part in parts]


def _counted(part: Value) -> Value:
    if not part.plain or isinstance(part.data, bool) or kind_of(part) != "b":
        return part
    return Value(part.data.astype(np.int64), part.level, part.varies, True)


def _beside(part: Value, kind: np.dtype[Any], calculates: bool) -> Any:
    """One operand, in the type that it takes beside one number of NumPy's."""
    if not part.plain or isinstance(part.data, (bool, int, float)):
        return part.data
    own = _type_of(part)
    if kind.kind == "f":
        return part.data.astype(_met(kind, own))
    if calculates and own.kind in "iu" and kind.kind in "iu" and kind != np.int64:
        raise Unfit  # whether it fits is known number by number
    return part.data


def _met(theirs: np.dtype[Any], own: np.dtype[Any]) -> np.dtype[Any]:
    """The type of one number of NumPy's with one of Python's."""
    return np.result_type(theirs.type(0), _PYTHON[own.kind])


def added_as(total: Value, amount: Value, target: Any, data: Any) -> np.dtype[Any]:
    """The type in which a sum goes on."""
    if total.plain == amount.plain:
        kind = np.result_type(target.dtype, data.dtype)
    else:
        theirs, own = (data.dtype, target.dtype) if total.plain else (target.dtype, data.dtype)
        kind = _met(theirs, own)
        if kind.kind in "iu" and kind != np.int64:
            raise Unfit  # whether it fits is known number by number
    return np.dtype(np.int64) if kind.kind == "b" else kind

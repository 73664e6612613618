"""NumPy calls of live code on active arrays: steps by their rules, lost scores refused, everything else untouched."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from metric2loss.diagnostics import Diagnostic, MetricError
from metric2loss.rules import SPELLINGS
from metric2loss.runtime import steps
from metric2loss.runtime.arrays import Array
from metric2loss.runtime.dispatch import numpy_composed
from metric2loss.runtime.dispatch.reading import Dispatch, any_active, is_active, plain
from metric2loss.runtime.dispatch.spelled import NOT_A_STEP, applied, discrete, nonzero
from metric2loss.runtime.failures import line_of

Apply = Callable[[], Any]

_PASSIVE = frozenset(
    [
        "shape",
        "ndim",
        "size",
        "isnan",
        "isinf",
        "isfinite",
        "isposinf",
        "isneginf",
        "isreal",
        "iscomplex",
        "isrealobj",
        "iscomplexobj",
        "zeros_like",
        "ones_like",
        "empty_like",
        "full_like",
        "result_type",
        "may_share_memory",
        "shares_memory",
        "can_cast",
        "common_type",
        "min_scalar_type",
        "array_repr",
        "array_str",
        "array2string",
        "broadcast_shapes",
    ]
)
_TRUTHS = frozenset(
    [
        "logical_and",
        "logical_or",
        "logical_xor",
        "logical_not",
        "any",
        "all",
        "nonzero",
        "flatnonzero",
        "argwhere",
        "count_nonzero",
    ]
)


class Live(Dispatch):
    """The reading of live code, with what `arrays.Array` asks it.  tables: whether scores are a column of a table."""

    tables: bool = False

    def ufunc(self, function: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any], apply: Apply) -> Any:
        """One ufunc; `apply` computes what is no step."""
        if not any_active(inputs):
            return apply()
        name = function.__name__
        if method == "__call__":
            found = _stepped(self, name, inputs, kwargs)
            if found is not NOT_A_STEP:
                return _into(found, kwargs)
            if name in _TRUTHS:
                return function(*(nonzero(self, x) for x in inputs), **kwargs)
        elif name in ("logical_and", "logical_or"):
            return getattr(function, method)(nonzero(self, inputs[0]), *inputs[1:], **kwargs)
        elif method == "outer" and f"numpy.{name}" in SPELLINGS:
            a, b = (x if hasattr(x, "shape") else np.asarray(x) for x in inputs)
            return function(a.reshape(*a.shape, *(1,) * b.ndim), b)
        return _kept(self, name, apply())

    def function(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], apply: Apply) -> Any:
        """One NumPy function."""
        if not any_active(args, kwargs):
            return apply()
        name = function.__name__
        if name in _PASSIVE:
            return function(*_exactly(args), **_exactly(kwargs))
        found = _stepped(self, name, args, kwargs)
        if found is not NOT_A_STEP:
            return _into(found, kwargs)
        if name in _TRUTHS:
            return function(nonzero(self, args[0]), *args[1:], **kwargs)
        composed = numpy_composed.TABLE.get(name)
        if composed is not None:
            found = composed(self, function, args, kwargs)
            if found is not NOT_A_STEP:
                return found
        return _kept(self, name, apply())

    def entries(self, x: Array) -> np.ndarray | None:
        """Scores for a column of a table: pandas compares the entries of a column of objects one by one; else None."""
        if not _asked_by_pandas():
            return None
        self.tables = True
        found = np.empty(x.size, dtype=object)
        for place, entry in enumerate(x.reshape(-1)):
            found[place] = entry
        return found.reshape(x.shape)

    def explained(self, run: Callable[[], Any]) -> Any:
        """What a run of the metric returns; of a failure that columns of scores are to blame for, the remedy."""
        loud = sys.unraisablehook
        sys.unraisablehook = lambda found: (
            None if isinstance(found.exc_value, MetricError) else loud(found)
        )  # kept: a leak
        try:
            return run()
        except (TypeError, ValueError) as error:
            if not self.tables or not self.recording:
                raise
            message = f"pandas computes with a column of scores: {type(error).__name__}: {error}"
            why = "It can compare the entries of such a column and move them about, no more."
            hint = "Round, cut or rank the scores with NumPy before they are put into the table."
            raise MetricError(Diagnostic("M2L301", line_of(error), message, why, hint)) from error
        finally:
            sys.unraisablehook = loud

    def discrete(self, dtype: Any) -> bool:
        """Whether a conversion to this type is a step."""
        return discrete((dtype,), {})

    def converted(self, x: Array, dtype: Any) -> Any:
        """`x.astype(dtype)` for integers and truth values."""
        return self.meet(steps.rounding, x, dtype, using="astype")

    def truth(self, x: Array) -> bool:
        """`bool(x)`."""
        return bool(self.meet(steps.compare, x.reshape(()), "!=", 0.0))

    def integer(self, x: Array) -> int:
        """`int(x)`."""
        return int(self.meet(steps.rounding, x.reshape(()), using="int"))


def _asked_by_pandas() -> bool:
    """Whether the function that asks for an ndarray is one of pandas."""
    frame = sys._getframe(3)
    return str(frame.f_globals.get("__name__", "")).startswith("pandas.")


def _stepped(reading: Dispatch, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    spelling = SPELLINGS.get(f"numpy.{name}")
    if spelling is None or name == "logical_not":
        return NOT_A_STEP
    return applied(reading, spelling, args, dict(kwargs))


def _exactly(value: Any) -> Any:
    """The arguments with plain arrays for active ones."""
    if type(value) in (list, tuple):
        return type(value)(_exactly(part) for part in value)
    if type(value) is dict:
        return {key: _exactly(part) for key, part in value.items()}
    return plain(value)


def _into(found: Any, kwargs: dict[str, Any]) -> Any:
    """What `out=` and `where=` ask for."""
    out = kwargs.get("out")
    target = out[0] if isinstance(out, tuple) else out
    if target is None:
        return found
    chosen = kwargs.get("where", True)
    target[...] = found if chosen is True else np.where(chosen, found, target)
    return target


def _kept(reading: Dispatch, name: str, result: Any) -> Any:
    """The result of a call that is no step, unless the scores went in and did not come out."""
    if name in _PASSIVE or result is None or isinstance(result, Array):
        return result
    parts = result if isinstance(result, (tuple, list)) else (result,)
    if any(is_active(part) for part in parts) or not any(np.size(part) for part in parts):
        return result
    raise reading.lost(f"np.{name}")

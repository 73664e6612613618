"""NumPy functions that are made of several steps, written with the steps: unique, isin, histogram …"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from metric2loss.runtime import steps
from metric2loss.runtime.arrays import Array
from metric2loss.runtime.dispatch.reading import Dispatch, is_active
from metric2loss.runtime.dispatch.spelled import NOT_A_STEP, nonzero
from metric2loss.runtime.native import called
from metric2loss.runtime.recorded import Operand

Function = Callable[[Dispatch, Any, tuple[Any, ...], dict[str, Any]], Any]
TABLE: dict[str, Function] = {}


def _composes(*names: str) -> Callable[[Function], Function]:
    def add(function: Function) -> Function:
        TABLE.update(dict.fromkeys(names, function))
        return function

    return add


@_composes("where")
def _where(reading: Dispatch, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return function(nonzero(reading, args[0]), *args[1:]) if is_active(args[0]) else NOT_A_STEP


@_composes("isclose")
def _isclose(reading: Dispatch, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return _close(reading, *args, **kwargs)


@_composes("allclose")
def _allclose(reading: Dispatch, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return bool(np.all(_close(reading, *args, **kwargs)))


def _close(reading: Dispatch, a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    return reading.meet(steps.compare, np.abs(a - b), "<=", atol + rtol * np.abs(b))


@_composes("array_equal", "array_equiv")
def _equal(reading: Dispatch, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    a, b = args[:2]
    return np.shape(a) == np.shape(b) and bool(np.all(reading.meet(steps.compare, a, "==", b)))


@_composes("isin", "in1d")
def _isin(reading: Dispatch, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    x, test = (part if hasattr(part, "shape") else np.asarray(part) for part in args[:2])
    found = np.any(reading.meet(steps.compare, x[..., None], "==", test.reshape(-1)), axis=-1)
    return ~found if kwargs.get("invert") else found


@_composes("unique")
def _unique(reading: Dispatch, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Sorted, an entry is new when it is greater than the one before it."""
    names = ("return_index", "return_inverse", "return_counts", "axis")
    facts = {**dict(zip(names, args[1:])), **kwargs}
    x = args[0]
    if facts.get("axis") is not None and x.ndim > 1:
        raise reading.lost("np.unique(axis=)")
    flat = x.reshape(-1)
    order = ordered(reading, flat)
    values = flat[order]
    new = reading.meet(steps.compare, values[1:], ">", values[:-1])
    first = np.concatenate([np.ones(min(1, len(flat)), dtype=bool), new])
    number = np.cumsum(first) - 1
    inverse = np.zeros(len(flat), dtype=np.intp)
    inverse[order] = number
    parts: dict[str, Callable[[], Any]] = {
        "return_index": lambda: order[first],
        "return_inverse": lambda: inverse.reshape(x.shape),
        "return_counts": lambda: np.bincount(number),
    }
    found = [values[first], *(make() for name, make in parts.items() if facts.get(name))]
    return found[0] if len(found) == 1 else tuple(found)


def ordered(reading: Dispatch, x: Any) -> Any:
    """A stable argsort of a flat array."""
    operand = Operand.of(x)
    return reading.meet(
        steps.order,
        x,
        using="argsort",
        kind="stable",
        native=lambda: called("argsort", operand, (), {"kind": "stable"}),
    )


@_composes("lexsort")
def _lexsort(reading: Dispatch, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """One stable order after the other, from the last key to the first."""
    order: Any = None
    for key in args[0]:
        moved = key if order is None else key[order]
        again = ordered(reading, moved) if is_active(moved) else np.argsort(moved, kind="stable")
        order = again if order is None else order[again]
    return order


@_composes("histogram")
def _histogram(reading: Dispatch, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Counts of the places among fixed edges; the last bin holds its upper edge."""
    facts = {**dict(zip(("bins", "range", "density", "weights"), args[1:])), **kwargs}
    bins, weights = facts.get("bins", 10), facts.get("weights")
    limits: Any = facts.get("range")
    if not is_active(args[0]):
        return NOT_A_STEP
    if isinstance(bins, str) or (np.ndim(bins) == 0 and limits is None) or is_active(bins):
        raise reading.lost("np.histogram without fixed edges")
    edges = np.linspace(limits[0], limits[1], int(bins) + 1) if np.ndim(bins) == 0 else np.asarray(bins)
    x, last = args[0].reshape(-1), len(edges) - 1
    place = reading.meet(steps.binning, x, edges, using="digitize")
    top = reading.meet(steps.compare, x, "<=", float(edges[-1]))
    bin_of = np.where((place == last + 1) & top, last, place) - 1
    inside = (bin_of >= 0) & (bin_of < last)
    amounts = inside.astype(float) if weights is None else np.where(inside, np.reshape(weights, -1), 0.0)
    counts = np.bincount(np.clip(bin_of, 0, last - 1), weights=amounts, minlength=last)
    if facts.get("density"):
        counts = counts / np.diff(edges) / counts.sum()
    elif weights is None:
        counts = counts.astype(np.int64)
    return counts, edges


@_composes("apply_along_axis")
def _along(reading: Dispatch, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The function on every slice, and the results stacked."""
    call, axis, x, *rest = args
    moved = np.moveaxis(x, axis, -1)
    rows = moved.reshape(-1, moved.shape[-1])
    found = [call(rows[k], *rest, **kwargs) for k in range(len(rows))]
    stacked = np.stack([part if isinstance(part, Array) else np.asarray(part) for part in found])
    whole = stacked.reshape(*moved.shape[:-1], *stacked.shape[1:])
    return np.moveaxis(whole, -1, axis) if stacked.ndim > 1 else whole


@_composes("piecewise")
def _piecewise(reading: Dispatch, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Each function at the entries where its condition holds, the last one where none does."""
    x, conditions, functions, *rest = args
    x = x if isinstance(x, Array) else np.asarray(x)
    chosen = _conditions(reading, conditions, x.ndim)
    if len(functions) == len(chosen) + 1:
        chosen.append(~np.any(np.stack(chosen), axis=0))
    if len(functions) != len(chosen):
        return NOT_A_STEP  # NumPy says what is wrong
    flat = x.reshape(-1)
    found: Any = Array(np.zeros(flat.shape, flat.dtype))
    for condition, made in zip(chosen, functions, strict=True):
        where = np.broadcast_to(condition, x.shape).reshape(-1)
        found[where] = made(flat[where], *rest, **kwargs) if callable(made) else made
    return found.reshape(x.shape) if found.active or found.batched else found.exact.reshape(x.shape)


def _conditions(reading: Dispatch, conditions: Any, ndim: int) -> list[Any]:
    """One condition or a list of them, as truth values."""
    several = isinstance(conditions, (list, tuple)) and (ndim == 0 or np.ndim(conditions[0]) > 0)
    several = several or (hasattr(conditions, "ndim") and conditions.ndim > ndim)
    listed = list(conditions) if several else [conditions]
    return [nonzero(reading, part) if is_active(part) else _truths(part) for part in listed]


def _truths(x: Any) -> Any:
    return x if isinstance(x, Array) else np.asarray(x, dtype=bool)

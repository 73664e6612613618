"""Stand-ins for Python's own functions, `math`, `heapq`, `numpy` and `torch`, for code that computes with scores.

Each does what it stands for when no score is among its arguments.  Python's orders never compare scores themselves: the
keys are gathered, ranked by the rule of order, and the items picked by index.
"""

from __future__ import annotations

import builtins
import functools
import heapq
import math
import operator
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metric2loss.runtime import lenient, steps
from metric2loss.runtime.arrays import Array, Element
from metric2loss.runtime.batched import in_batch, is_batched
from metric2loss.runtime.dispatch import element_wise
from metric2loss.runtime.dispatch.ranks import dense
from metric2loss.runtime.dispatch.reading import Dispatch, current, is_active, plain, rewrapped
from metric2loss.runtime.elements import elements
from metric2loss.runtime.indexing import deep
from metric2loss.runtime.lenient import Namespace, many


def _scores_in(keys: list[Any]) -> bool:
    """Whether keys are scores, or tuples with one."""
    return any(is_active(key) or (isinstance(key, tuple) and any(is_active(part) for part in key)) for key in keys)


def _ranked_parts(reading: Dispatch, keys: list[Any]) -> list[Any] | None:
    """Tuple keys with ranks in place of scores, where a score is not their only and first entry."""
    if not isinstance(keys[0], tuple) or (
        is_active(keys[0][0]) and not any(is_active(part) for key in keys for part in key[1:])
    ):
        return None
    first = next(place for place in range(len(keys[0])) if any(is_active(key[place]) for key in keys))
    before = [key[:first] for key in keys]
    if first and len({tuple(plain(part) for part in key) for key in before}) == len(before):
        return before  # the scores are never compared
    columns = [
        dense(reading, stacked(column)).tolist() if any(is_active(part) for part in column) else list(column)
        for column in zip(*keys)
    ]
    return list(zip(*columns))


def _order(
    reading: Dispatch, keys: list[Any], reverse: bool, using: str = "sorted", count: int | None = None
) -> list[int]:
    """Places in order: scores first, the other parts of tuple keys decide between equal ones."""
    ranked = _ranked_parts(reading, keys)
    if ranked is not None:
        descending = reverse or using == "nlargest"
        return _real_sorted(range(len(ranked)), key=ranked.__getitem__, reverse=descending)[:count]
    operand, then = _parts(reading, keys) if reading.recording else (None, None)
    kwargs: dict[str, Any] = {"reverse": reverse} if using == "sorted" else {"n": count}
    if then is not None:
        kwargs["then"] = then
    return [int(k) for k in reading.meet(steps.order, operand, using=using, **kwargs)]


def _parts(reading: Dispatch, keys: list[Any]) -> tuple[Any, list[Any] | None]:
    with reading.sleeping():
        if not isinstance(keys[0], tuple):
            return stacked(keys), None
        rest = [tuple(getattr(part, "exact", part) for part in key[1:]) for key in keys]
        return stacked([key[0] for key in keys]), rest


def stacked(values: Iterable[Any]) -> Any:
    """Scalars as one array."""
    parts = [rewrapped(x) if isinstance(x, Tensor) else x for x in values]
    if parts and all(isinstance(x, Element) for x in parts):
        return Array(np.array([float(x.exact) for x in parts]), elements(parts).double())
    tensors = [x.tensor if isinstance(x, Array) else torch.tensor(float(x), dtype=torch.float64) for x in parts]
    exact = [float(x.exact) if isinstance(x, Array) else float(x) for x in parts]
    return Array(np.array(exact), torch.stack([x.reshape(()).double() for x in tensors]))


_real_sorted = builtins.sorted


def _sorted(items: Iterable[Any], /, *, key: Any = None, reverse: bool = False) -> list[Any]:
    reading = current()
    if reading is None:
        return _real_sorted(items, key=key, reverse=reverse)
    listed = list(items)
    keys = listed if key is None else [key(item) for item in listed]
    if not _scores_in(keys):
        if key is None:
            return _real_sorted(listed, reverse=reverse)
        places = _real_sorted(range(len(keys)), key=keys.__getitem__, reverse=reverse)
        return [listed[k] for k in places]
    return [listed[k] for k in _order(reading, keys, bool(reverse))]


def _largest(real: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(real)
    def call(n: int, iterable: Iterable[Any], key: Any = None) -> list[Any]:
        reading = current()
        if reading is None:
            return list(real(n, iterable, key))
        listed = list(iterable)
        keys = listed if key is None else [key(item) for item in listed]
        if not _scores_in(keys):
            places = real(n, range(len(keys)), key=keys.__getitem__)
            return [listed[k] for k in places]
        return [listed[k] for k in _order(reading, keys, False, name, min(n, len(listed)))]

    return call


_NOTHING = object()


def _extreme(real: Callable[..., Any], using: str) -> Callable[..., Any]:
    """max and min: with a key the item that wins; without one, the value, which is no step."""

    @functools.wraps(real)
    def call(*args: Any, key: Any = None, default: Any = _NOTHING) -> Any:
        reading = current()
        if reading is None:
            return real(*args, key=key) if default is _NOTHING else real(*args, key=key, default=default)
        listed = list(args[0]) if len(args) == 1 else list(args)
        if not listed and default is not _NOTHING:
            return default
        keys = listed if key is None else [key(item) for item in listed]
        if not (_scores_in(keys) or any(many(x) for x in keys)):
            if not listed:
                return real(listed)
            return listed[real(range(len(keys)), key=keys.__getitem__)]
        if key is None and not any(isinstance(x, tuple) for x in keys):
            return _value(using, keys)
        ranked = _ranked_parts(reading, keys)
        if ranked is not None:
            return listed[real(range(len(ranked)), key=ranked.__getitem__)]
        operand, then = _parts(reading, keys) if reading.recording else (None, None)
        kwargs: dict[str, Any] = {} if then is None else {"then": then}
        return listed[int(reading.meet(steps.choose, operand, using=using, **kwargs))]

    return call


def _value(using: str, keys: list[Any]) -> Any:
    name = "maximum" if using == "first_argmax" else "minimum"
    if any(isinstance(x, Tensor) for x in keys):
        return functools.reduce(getattr(torch, name), [torch.as_tensor(x) for x in keys])
    return functools.reduce(getattr(np, name), keys)


class Kind(type):
    """The type of the stand-in for `float`, whose construction keeps scores."""

    real: type

    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, cls.real) or (cls.real is float and isinstance(x, Array) and x.ndim == 0 and x.active)

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, cls.real)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and many(args[0]):
            return _kept(args[0])
        return cls.real(*args, **kwargs)

    def __eq__(cls, other: object) -> bool:
        return other is cls.real or cls is other

    def __hash__(cls) -> int:
        return hash(cls.real)


def _kept(x: Any) -> Any:
    """`float(x)` of a score: the score."""
    if isinstance(x, Tensor) and is_batched(x):
        return x.to(torch.float64)
    x = rewrapped(x) if isinstance(x, Tensor) else x
    return x if not x.shape and x.dtype == np.float64 else x.reshape(()).astype(np.float64)


def _kind(real: type) -> Any:
    """A subclass of the type (NumPy takes it for a dtype) that makes instances of the type itself."""
    return Kind(real.__name__, (real,), {"real": real, "dtype": np.dtype(real), "__slots__": ()})


def _round(x: Any, digits: int | None = None) -> Any:
    if not is_active(x):
        return round(x) if digits is None else round(x, digits)
    found = np.round(x if isinstance(x, Array) else rewrapped(x), digits or 0)
    return int(found) if digits is None else found


def _sum(items: Iterable[Any], /, start: Any = 0) -> Any:
    listed = list(items)
    if not any(many(x) for x in listed):
        return sum(listed, start)
    return functools.reduce(operator.add, listed, start)


def _isinstance(x: Any, kinds: Any) -> bool:
    """Scores pass for what the user's code would have been given."""
    if isinstance(x, Array):
        given = np.ndarray if x.ndim else np.float64
        return any(issubclass(given, kind) for kind in _flat(kinds) if isinstance(kind, type)) or isinstance(
            x, _real(kinds)
        )
    return isinstance(x, _real(kinds))


def _flat(kinds: Any) -> list[Any]:
    if isinstance(kinds, tuple):
        return [found for kind in kinds for found in _flat(kind)]
    if hasattr(kinds, "__args__"):
        return [*kinds.__args__]
    return [kinds.real if isinstance(kinds, Kind) else kinds]


def _real(kinds: Any) -> Any:
    if isinstance(kinds, tuple):
        return tuple(_real(kind) for kind in kinds)
    return kinds.real if isinstance(kinds, Kind) else kinds


BUILTINS: dict[str, Any] = {
    "sorted": _sorted,
    "max": _extreme(builtins.max, "first_argmax"),
    "min": _extreme(builtins.min, "first_argmin"),
    "round": _round,
    "sum": _sum,
    "isinstance": _isinstance,
    "float": _kind(float),
}


def _as_array(real: Callable[..., Any]) -> Callable[..., Any]:
    """np.asarray and its kin: scores stay what they are, alone or in lists."""

    @functools.wraps(real)
    def call(x: Any = None, *args: Any, **kwargs: Any) -> Any:
        x = gathered(x)
        if not isinstance(x, Array):
            made = real(x, *args, **kwargs)
            return Array(made) if in_batch() else made
        dtype = kwargs.get("dtype", args[0] if args else None)
        if real is not np.array and (dtype is None or np.dtype(dtype) == x.dtype):
            return x
        return x.copy() if dtype is None else x.astype(dtype)

    return call


def gathered(x: Any) -> Any:
    """Lists of scores as one array."""
    if isinstance(x, Tensor) and is_active(x):
        return rewrapped(x)
    if not isinstance(x, (list, tuple)) or not any(many(part) for part in deep(x)):
        return x
    parts = [gathered(part) for part in x]
    return np.stack([part if isinstance(part, Array) else np.asarray(part) for part in parts])


def _making(real: Callable[..., Any]) -> Callable[..., Any]:
    """np.zeros and its kin: for many configurations, or where the plan says so, what they make may be written to."""

    @functools.wraps(real)
    def call(*args: Any, **kwargs: Any) -> Any:
        made = real(*args, **kwargs)
        if not isinstance(made, np.ndarray):
            return made
        reading = current()
        return Array(made) if in_batch() or (reading is not None and reading.buffers) else made

    return call


def _of_lists(real: Callable[..., Any]) -> Callable[..., Any]:
    """np.mean and its kin: NumPy does not look for scores inside of lists."""

    @functools.wraps(real)
    def call(x: Any, *args: Any, **kwargs: Any) -> Any:
        return real(gathered(x), *args, **kwargs)

    return call


_CONVERTING = "array asarray asanyarray ascontiguousarray asarray_chkfinite"
_FRESH = "zeros ones empty full arange linspace eye zeros_like ones_like empty_like full_like logspace tri identity"
_REDUCING = (
    "mean sum prod max min amax amin average median std var any all cumsum nanmean nansum sort argsort argmax argmin diff "
    "round abs sqrt unique argpartition partition where nonzero flatnonzero percentile quantile clip log log2 exp dot"
)

NUMPY = Namespace(
    np,
    {
        **lenient.JOINED,
        **{name: _as_array(getattr(np, name)) for name in _CONVERTING.split()},
        **{name: _making(getattr(np, name)) for name in _FRESH.split()},
        **{name: _of_lists(getattr(np, name)) for name in _REDUCING.split()},
        "vectorize": element_wise.Vectorized,
        "frompyfunc": element_wise.from_function,
        "fromiter": element_wise.from_iterable,
    },
)
MATH = Namespace(math, {name: value for name, value in vars(lenient._MATH).items() if not name.startswith("_")})
HEAPQ = Namespace(
    heapq,
    {
        "nlargest": _largest(heapq.nlargest, "nlargest"),
        "nsmallest": _largest(heapq.nsmallest, "nsmallest"),
    },
)

_lock = threading.Lock()
_inside = 0
_scripted: Any = torch.jit.ScriptFunction.__call__


def _as_written(function: Any, *args: Any, **kwargs: Any) -> Any:
    """A call of a TorchScript function: what it was made of runs, for a compiled one loses the graph in silence."""
    met = current() is not None and hasattr(function, "_torchdynamo_inline")
    return (function._torchdynamo_inline if met else functools.partial(_scripted, function))(*args, **kwargs)


_REPLACED: tuple[tuple[Any, str, Any, Any], ...] = (
    *((builtins, name, getattr(builtins, name), BUILTINS[name]) for name in ("sorted", "max", "min")),
    *((heapq, name, getattr(heapq, name), getattr(HEAPQ, name)) for name in ("nlargest", "nsmallest")),
    (torch.jit.ScriptFunction, "__call__", _scripted, _as_written),
)


@contextmanager
def orders_met() -> Iterator[None]:
    """Inside, Python's orders and calls of TorchScript are stand-ins everywhere, also in code that is reached without a shadow.

    Elsewhere, in other threads too, the stand-ins do what they stand for: no reading is in force there.
    """
    global _inside
    with _lock:
        _inside += 1
        if _inside == 1:
            for home, name, _, stand_in in _REPLACED:
                setattr(home, name, stand_in)
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                for home, name, real, _ in _REPLACED:
                    setattr(home, name, real)


def _from_numpy(x: Any) -> Tensor:
    return x.tensor if isinstance(x, Array) else torch.from_numpy(x)


TORCH = Namespace(torch, {"from_numpy": _from_numpy})

# functions imported by name
STAND_INS: dict[int, Any] = {
    id(getattr(real, name)): getattr(stand_in, name)
    for real, stand_in in ((np, NUMPY), (math, MATH), (heapq, HEAPQ), (torch, TORCH))
    for name in vars(stand_in)
    if not name.startswith("_")
    and callable(getattr(real, name, None))
    and getattr(real, name) is not getattr(stand_in, name)
}

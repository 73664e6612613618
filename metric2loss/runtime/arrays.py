"""NumPy's array protocols over torch tensors: what a NumPy metric computes with while gradients or many configurations pass.

An `Array` is *active* in f (the exact ndarray beside the autograd tensor: NumPy decides, torch differentiates), *batched* in
g under vmap (a tensor alone), or *passive* there (an ndarray alone, so that `labels[order]` meets a batched `order`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
import torch
from numpy.lib.mixins import NDArrayOperatorsMixin
from torch import Tensor

from metric2loss import step
from metric2loss.runtime import indexing, numpy_elementwise, numpy_statistics, numpy_writes, ufunc_methods, views  # noqa: F401 (some register)
from metric2loss.runtime.batched import Unbatchable, agreed, in_batch, plain
from metric2loss.runtime.dtypes import as_tensor, dtype_of, torch_dtype
from metric2loss.runtime.failures import failure
from metric2loss.runtime.numpy_forms import evaluate, ufunc
from metric2loss.runtime.rearranged import moved
from metric2loss.runtime.tabled import scores_after


class Array(NDArrayOperatorsMixin):
    """One value of a NumPy metric; see the module's first lines for its three states."""

    __slots__ = ("__weakref__", "_exact", "_link", "_scored", "_tensor", "_views")
    __array_priority__ = 1000

    def __init__(self, exact: np.ndarray | None, tensor: Tensor | None = None) -> None:
        self._exact = exact
        self._tensor = tensor
        self._scored: np.ndarray | None = None  # of a table of scores and other numbers: which entries are scores
        self._link: Any = None  # the array whose memory it shares, and how
        self._views: Any = None  # the arrays that share its memory

    # --- what it is

    @property
    def exact(self) -> np.ndarray:
        """The ndarray; of a batched value, the one all configurations agree on."""
        if self._exact is not None:
            return self._exact
        assert self._tensor is not None
        return plain(self._tensor)

    @property
    def tensor(self) -> Tensor:
        return as_tensor(self._exact) if self._tensor is None else self._tensor

    @property
    def active(self) -> bool:
        return self._exact is not None and self._tensor is not None

    @property
    def batched(self) -> bool:
        return self._exact is None

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self._exact.shape if self._exact is not None else self.tensor.shape)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._exact.dtype if self._exact is not None else dtype_of(self.tensor)

    @property
    def T(self) -> Any:
        return np.transpose(self)

    @property
    def flat(self) -> Any:
        return self.reshape(-1)

    @property
    def real(self) -> Array:
        return self

    @property
    def device(self) -> str:
        return "cpu"

    @property
    def itemsize(self) -> int:
        return int(self.dtype.itemsize)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if self._exact is None or in_batch():
            return (self[place] for place in range(len(self)))
        if self._tensor is None and self.ndim == 1:
            return iter(self._exact)
        if self._scored is not None or self._tensor is None:
            return (self[place] for place in range(len(self)))
        if self.ndim == 1:
            return (Element(exact, self, place) for place, exact in enumerate(self._exact))
        rows = enumerate(zip(self._exact, self._tensor.unbind(0)))
        return (views.linked(self, Array(*row), itemgetter(place)) for place, row in rows)

    def __repr__(self) -> str:
        return f"Array({self._tensor if self._exact is None else self._exact!r})"

    # --- NumPy's protocols

    def __array_ufunc__(self, function: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        watch = _watch()
        if watch is not None and function in COMPARISONS and not kwargs:
            met = _one_met(watch, inputs[0], COMPARISONS[function], inputs[-1])
            if met is not None:
                return met
        if method == "at":
            return self._changed_at(function, *inputs)

        chosen = kwargs.pop("where", True) if method == "__call__" else True
        if chosen is not True:
            return _where(chosen, function(*inputs, **{k: v for k, v in kwargs.items() if k != "out"}), kwargs)

        def apply() -> Any:
            return _apply(getattr(function, method), ufunc(function, method), inputs, kwargs)

        return apply() if watch is None else watch.ufunc(function, method, inputs, kwargs, apply)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function.__name__ in numpy_writes.NAMES:
            return numpy_writes.written_by(function, _writable(function, args), *args[1:], **kwargs)

        def apply() -> Any:
            return _apply(function, evaluate(function), args, kwargs)

        watch = _watch()
        return apply() if watch is None else watch.function(function, args, kwargs, apply)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if self.active:
            watch = _watch()
            entries: np.ndarray | None = watch.entries(self) if hasattr(watch, "entries") else None
            if entries is None:
                raise _leak("an array of plain numbers")
            return entries
        if self._exact is None:
            raise Unbatchable("the values of an array that differs between configurations are asked for")
        return self._exact if dtype is None else self._exact.astype(dtype)

    # --- where Python needs one plain value

    def _one(self, needed: str) -> np.ndarray:
        if self.active:
            raise _leak(needed)
        return self.exact

    def __bool__(self) -> bool:
        if self.active and (watch := _watch()) is not None:
            return bool(watch.truth(self))
        return bool(self._one("a truth value"))

    def __int__(self) -> int:
        if self.active and (watch := _watch()) is not None:
            return int(watch.integer(self))
        return int(self._one("an integer"))

    def __float__(self) -> float:
        return float(self._one("a float"))

    def __index__(self) -> int:
        return self._one("an index").__index__()

    def __hash__(self) -> int:
        return hash(self._one("a hash").item())

    def __format__(self, spec: str) -> str:
        return format(self._one("text").item(), spec)

    def __round__(self, digits: int = 0) -> Any:
        return np.round(self, digits)

    def item(self, *place: int) -> Any:
        if not place and self.size == 1 and (self.active or self.batched):
            return self._of_python().reshape(())  # stays what it is: only Python's own conversions need a plain value
        return self._one("a plain number").item(*place)

    def tolist(self) -> Any:
        if self.active or self.batched:
            numbers = self._of_python()
            return [row.tolist() if row.ndim else row for row in numbers] if self.ndim else numbers
        return self.exact.tolist()

    def _of_python(self) -> Any:
        """Real numbers as wide as Python's."""
        return self.astype(np.float64) if self.dtype.kind == "f" and self.dtype != np.float64 else self

    # --- reading and writing parts

    def __getitem__(self, index: Any) -> Any:
        one = isinstance(index, (int, np.integer)) and not isinstance(index, bool)
        if one and self.active and self.ndim == 1 and self._scored is None:
            return Element(self.exact[index], self, int(index) % len(self))
        parts = [part for part in indexing.listed(index) if isinstance(part, Array)]
        if self._exact is not None and not any(part.batched for part in parts):
            index = indexing.replaced(index, Array, lambda part: part.exact)
            exact = self._exact[index]
            tensor = indexing.read(self._tensor, index) if self._tensor is not None else None
            read = wrapped(exact, tensor) if self._scored is None else _scored(exact, tensor, self._scored[index])
            return self._viewed(read, index)
        tensors = indexing.replaced(index, Array, lambda part: part.tensor)
        found = Array(None, indexing.read(self.tensor, tensors))
        return self._viewed(found if self._scored is None else self._marked(found, index, bool(parts)), index)

    def _viewed(self, found: Any, index: Any) -> Any:
        """What was read, sharing memory where NumPy's does."""
        if not views.basic(index) or not getattr(found, "shape", ()):
            return found
        return views.linked(self, found if isinstance(found, Array) else Array(found), itemgetter(index))

    def _marked(self, found: Array, index: Any, apart: bool) -> Array:
        """A batched part of a table with its scores marked; apart: the rows that were read differ between configurations."""
        assert self._scored is not None and found._tensor is not None
        if not apart:
            scores = self._scored[index]
        elif found.ndim == self.ndim and (self._scored == self._scored[:1]).all() and not isinstance(index, tuple):
            scores = np.broadcast_to(self._scored[:1], found.shape)  # whole columns
        else:
            return found
        if not np.any(scores):
            return Array(None, found._tensor.detach())
        found._scored = None if np.all(scores) else scores
        return found

    def __setitem__(self, index: Any, value: Any) -> None:
        parts = [part for part in (*indexing.listed(index), value) if isinstance(part, Array)]
        batched = self.batched or any(part.batched for part in parts)
        tensor = None
        if batched or self.active or any(part.active for part in parts):
            given = value.tensor if isinstance(value, Array) else torch.as_tensor(value)
            tensor = indexing.written(self.tensor, indexing.replaced(index, Array, lambda part: part.tensor), given)
        if batched:
            self._exact = None
        else:
            assert self._exact is not None
            exact = self._exact.copy()
            self._scored = self._scored_after(index, value)
            exact[indexing.replaced(index, Array, lambda part: part.exact)] = (
                value.exact if isinstance(value, Array) else value
            )
            self._exact = exact
            if self._scored is not None and not self._scored.any():
                tensor = self._scored = None  # all scores have been overwritten
        self._tensor = tensor
        views.passed_on(self)

    def _scored_after(self, index: Any, value: Any) -> np.ndarray | None:
        """Which entries are scores once `value` is written at `index`."""
        scores = isinstance(value, Array) and value.active
        if not (self.active or scores) or (self.active and self._scored is None and scores):
            return None
        known = np.full(self.shape, self.active) if self._scored is None else self._scored.copy()
        known[indexing.replaced(index, Array, lambda part: part.exact)] = scores
        return known

    def _changed_at(self, function: Any, target: Any, index: Any, value: Any = None) -> None:
        """`np.add.at(target, index, value)`: repeated places count each time."""
        name = function.__name__
        parts = [part for part in (target, *indexing.listed(index), value) if isinstance(part, Array)]
        if not isinstance(target, Array):
            raise _unwritable(f"np.{name}.at", parts)
        exact = None
        if not any(part.batched for part in parts):
            exact = target.exact.copy()
            function.at(exact, indexing.replaced(index, Array, _exact), *(() if value is None else (_exact(value),)))
        tensor = None
        if exact is None or any(part.active for part in parts):
            given = value.tensor if isinstance(value, Array) else torch.as_tensor(value)
            places = indexing.replaced(index, Array, lambda part: part.tensor)
            try:
                tensor = ufunc_methods.changed_at(name, target.tensor, places, given)
            except NotImplementedError:
                raise _unwritable(f"np.{name}.at", parts) from None
        target._exact, target._tensor, target._scored = exact, tensor, None
        views.passed_on(target)

    def assign(self, value: Any) -> Array:
        """What `out=` and `+=` do: the value of another array becomes the value of this one."""
        source = value if isinstance(value, Array) else Array(np.asarray(value))
        self._exact, self._tensor, self._scored = source._exact, source._tensor, source._scored
        views.passed_on(self)
        return self

    # --- methods that are functions with another name

    def astype(self, dtype: Any, **kwargs: Any) -> Any:
        if self.active and (watch := _watch()) is not None and watch.discrete(dtype):
            return watch.converted(self, dtype)
        exact = None if self._exact is None else self._exact.astype(dtype)
        if self._tensor is None:
            return wrapped(exact, None)
        return wrapped(exact, self._tensor.to(torch_dtype(dtype)))

    def copy(self, *args: Any, **kwargs: Any) -> Array:
        copied = Array(None if self._exact is None else self._exact.copy(), self._tensor)
        copied._scored = self._scored
        return copied

    def reshape(self, *shape: Any, **kwargs: Any) -> Any:
        return np.reshape(self, shape[0] if len(shape) == 1 else shape, **kwargs)

    def transpose(self, *axes: Any) -> Any:
        return np.transpose(self, axes[0] if len(axes) == 1 else axes or None)

    def flatten(self, order: Any = "C") -> Any:
        return np.ravel(self, order=order).copy()

    def compress(self, condition: Any, axis: int | None = None, out: Any = None) -> Any:
        return np.compress(condition, self, axis=axis)

    def sort(self, axis: int = -1, **kwargs: Any) -> None:
        self.assign(np.sort(self, axis=axis, **kwargs))

    def fill(self, value: Any) -> None:
        self[...] = value

    def view(self, *args: Any) -> Array:
        if args:
            raise Unbatchable("a view of another type")
        return self

    def dot(self, other: Any) -> Any:
        return np.dot(self, other)


def _method(name: str) -> Any:
    function = getattr(np, name)

    def method(self: Array, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    method.__name__ = name
    return method


def _comparison(name: str, operator: str) -> Any:
    general = getattr(NDArrayOperatorsMixin, name)

    def compare(self: Array, other: Any) -> Any:
        watch = _watch()
        met = None if watch is None else _one_met(watch, self, operator, other)
        return general(self, other) if met is None else met

    compare.__name__ = name
    return compare


COMPARISONS = {
    np.greater: ">",
    np.greater_equal: ">=",
    np.less: "<",
    np.less_equal: "<=",
    np.equal: "==",
    np.not_equal: "!=",
}
for _ufunc, _name in zip(COMPARISONS, ("__gt__", "__ge__", "__lt__", "__le__", "__eq__", "__ne__")):
    setattr(Array, _name, _comparison(_name, COMPARISONS[_ufunc]))


def _one_met(watch: Any, left: Any, operator: str, right: Any) -> Any:
    """The outcome of comparing two numbers of which one is a score; None where they are none."""
    one, other = _is_score(left), _is_score(right)
    if one is None or other is None or not (one or other):
        return None
    return watch.compared(left, operator, right)


def _is_score(x: Any) -> bool | None:
    """Of one number, whether it is a score; None of anything else."""
    if isinstance(x, Array):
        return x.active if x._exact is not None and not x._exact.shape else None
    return False if isinstance(x, (float, int, np.number)) or (isinstance(x, np.ndarray) and not x.shape) else None


class Element(Array):
    """One entry of an active array with one axis; its tensor is taken out of the array's when somebody asks for it."""

    __slots__ = ("_made", "parent", "place")

    def __init__(self, exact: Any, parent: Array, place: int) -> None:
        self._exact = np.asarray(exact)
        self.parent, self.place = parent._tensor, place
        self._made: Tensor | None = None
        self._scored = self._link = self._views = None

    @property
    def _tensor(self) -> Tensor | None:
        if self._made is None and self.parent is not None:
            self._made = self.parent[self.place]
        return self._made

    @_tensor.setter
    def _tensor(self, value: Tensor | None) -> None:
        self._made, self.parent = value, None

    @property
    def active(self) -> bool:
        return self._exact is not None and (self.parent is not None or self._made is not None)


_METHODS = (
    "all any argmax argmin argpartition argsort choose clip conj cumprod cumsum diagonal max mean min nonzero prod "
    "ptp ravel repeat round searchsorted squeeze std sum swapaxes take trace var"
)
for _name in _METHODS.split():
    setattr(Array, _name, _method(_name))


def _watch() -> Any:
    """The reading of live code in force, which meets steps as they are called."""
    reading = step.current()
    return reading if getattr(reading, "awake", False) else None


def _leak(needed: str) -> Exception:
    watch = _watch()
    return (failure if watch is None else watch.leak)(
        "M2L302",
        f"a score is used where Python needs {needed}",
        "the gradient ends where a score becomes a plain number",
        "compute with NumPy functions on the array of scores instead of converting its elements",
    )


def wrapped(exact: Any, tensor: Tensor | None) -> Any:
    """The result of a computation: an Array only while a gradient or a batch needs one."""
    if tensor is not None and (exact is None or tensor.requires_grad):
        return Array(None if exact is None else np.asarray(exact), tensor)
    if isinstance(exact, np.ndarray) and in_batch():
        return Array(exact)
    return exact


def _apply(real: Callable[..., Any], on_tensors: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """One NumPy call; what it hands back shares memory where NumPy's result does."""
    found = _called(real, on_tensors, args, kwargs)
    if getattr(real, "__name__", "") not in views.FUNCTIONS or not args or not isinstance(args[0], Array):
        return found
    return views.handed_back(real, args, kwargs, found, Array)


def _called(real: Callable[..., Any], on_tensors: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """By NumPy where all exact values are known, by torch where a tensor is among the arguments."""
    if not kwargs and not any(type(part) in _NESTS for part in args):
        try:
            return _of_flat(real, on_tensors, args)
        except NotImplementedError:
            pass
    out = kwargs.pop("out", None) if kwargs else None
    found = [part for part in indexing.deep((args, kwargs)) if isinstance(part, Array)]
    exact = None
    if not any(part._exact is None for part in found):
        exact = real(*indexing.changed(args, _exact), **indexing.changed(kwargs, _exact))
    tensors: Any = None
    if any(part._tensor is not None for part in found):
        try:
            tensors = on_tensors(*indexing.changed(args, _given), **indexing.changed(kwargs, _given))
        except NotImplementedError:
            tensors = _by_agreement(real, args, kwargs) if exact is None else _moved(real, args, kwargs, exact)
    result = _joined(exact, tensors)
    if isinstance(result, Array) and result.active:
        scores = scores_after(real, args, kwargs, Array)
        result = result if scores is None else _scored(result.exact, result.tensor, scores)
    if out is None:
        return result
    target = out[0] if isinstance(out, tuple) else out
    return target.assign(result) if isinstance(target, Array) else _raise_out()


_NESTS = frozenset((list, tuple, dict))


def _of_flat(real: Callable[..., Any], on_tensors: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """The same where no argument holds others; NotImplementedError where torch has no such function."""
    arrays = [part for part in args if isinstance(part, Array)]
    if any(part._exact is None for part in arrays):
        return _joined(None, on_tensors(*map(_given, args)))
    if any(part._scored is not None for part in arrays):
        raise NotImplementedError("some entries are scores, others are not")
    exact = real(*map(_exact, args))
    return _joined(exact, on_tensors(*map(_given, args)) if any(part._tensor is not None for part in arrays) else None)


def _scored(exact: Any, tensor: Any, scores: Any) -> Any:
    """An array some entries of which are scores; without any it is plain."""
    if not np.any(scores):
        return exact
    found = wrapped(exact, tensor)
    if isinstance(found, Array) and not np.all(scores):
        found._scored = scores
    return found


def _moved(real: Callable[..., Any], args: Any, kwargs: Any, exact: Any) -> Any:
    """The tensor form of a function that only moves entries of active arrays about; None when it does more."""
    arrays = [part for part in indexing.deep((args, kwargs)) if isinstance(part, Array) and part.active]

    def run(values: list[np.ndarray]) -> Any:
        waiting = iter(values)

        def given(part: Any) -> Any:
            return next(waiting) if isinstance(part, Array) and part.active else _exact(part)

        return real(*indexing.changed(args, given), **indexing.changed(kwargs, given))

    return moved(arrays, run, exact)


def _writable(function: Any, args: tuple[Any, ...]) -> Array:
    """The first argument of a function that writes into it."""
    if not isinstance(args[0], Array):
        raise _unwritable(f"np.{function.__name__}", [part for part in args[1:] if isinstance(part, Array)])
    return args[0]


def _unwritable(what: str, parts: Sequence[Array]) -> Exception:
    """Scores cannot be written into an array of plain numbers; configurations that differ can be run one by one."""
    watch = _watch()
    if watch is None or not any(part.active for part in parts):
        return Unbatchable(f"{what} into a plain array")
    found: Exception = watch.leak(
        "M2L302",
        f"`{what}` writes a score into an array of plain numbers",
        "the gradient ends where a score becomes a plain number",
        "build the array from the scores: np.where, np.concatenate, np.bincount with weights",
    )
    return found


def _where(chosen: Any, result: Any, kwargs: Any) -> Any:
    """What a ufunc with `where=` gives: entries that are not chosen stay those of `out`."""
    out = kwargs.get("out")
    target = out[0] if isinstance(out, tuple) else out
    mixed = np.where(chosen, result, np.zeros_like(_exact(result)) if target is None else target)
    if isinstance(target, Array):
        return target.assign(mixed)
    return mixed


def _raise_out() -> Any:
    raise Unbatchable("out= is a plain array")


def _by_agreement(real: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """A function without a tensor form: its arguments must agree between configurations, NumPy then computes it."""
    result = real(*indexing.changed(args, _exact), **indexing.changed(kwargs, _exact))
    return indexing.changed(
        result, lambda part: as_tensor(part) if isinstance(part, (np.ndarray, np.generic)) else part
    )


def _joined(exact: Any, tensors: Any) -> Any:
    several = exact if isinstance(exact, (tuple, list)) else tensors if isinstance(tensors, (tuple, list)) else None
    if several is None:
        return wrapped(exact, tensors) if tensors is None or isinstance(tensors, Tensor) else tensors
    n = len(several)
    pairs = zip(exact if exact is not None else [None] * n, tensors if tensors is not None else [None] * n)
    return (
        type(several)(_joined(one, other) for one, other in pairs)
        if type(several) in (tuple, list)
        else tuple(_joined(one, other) for one, other in pairs)
    )


def _exact(part: Any) -> Any:
    return part.exact if isinstance(part, Array) else part


def _given(part: Any) -> Any:
    return part.tensor if isinstance(part, Array) else as_tensor(part) if isinstance(part, np.ndarray) else part


def everywhere(value: Any) -> Any:
    """A passive argument of g, with its ndarrays as passive Arrays."""
    return indexing.changed(value, lambda part: Array(part) if isinstance(part, np.ndarray) else part)


def shared(value: Any) -> Any:
    """A result that all configurations agree on, plain."""
    return agreed(value.tensor).numpy() if isinstance(value, Array) and value.batched else _exact(value)

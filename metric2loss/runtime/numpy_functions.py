"""NumPy's functions on tensors, written by hand where torch._numpy lacks them or vmap does not bear its own."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metric2loss.runtime.batched import agreed, each, is_batched, spread, true_places
from metric2loss.runtime.numpy_forms import (
    Function,
    both,
    by_torch_numpy,
    check_shapes,
    evaluate,
    numpy_name,
    on_tensor,
    register,
    registered,
)

# --- arithmetic in NumPy's types: what torch would compute in float32 (an integer by an integer) is float64 there


def _common(a: Any, b: Any) -> torch.dtype:
    """The type NumPy computes in: plain Python numbers take that of the array."""
    return _computed_in(_kind(a), _kind(b))


def _kind(x: Any) -> Any:
    if isinstance(x, Tensor):
        return x.dtype
    return type(x) if type(x) in _PYTHON else on_tensor(x).dtype


@functools.cache
def _computed_in(*kinds: Any) -> torch.dtype:
    """The same for types of tensors and of Python numbers."""
    strong = [kind for kind in kinds if kind not in _PYTHON]
    weak = [_PYTHON[kind] for kind in kinds if kind in _PYTHON]
    dtype = _promoted(*strong) if len(strong) == 2 else strong[0] if strong else weak[0]
    for kind in weak:
        if strong and _RANK[kind] > _RANK.get(_category(dtype), 2):
            dtype = kind
    return dtype


_PYTHON = {bool: torch.bool, int: torch.int64, float: torch.float64}
_RANK = {torch.bool: 0, torch.int64: 1, torch.float64: 2}


def _category(dtype: torch.dtype) -> torch.dtype:
    return torch.bool if dtype == torch.bool else torch.float64 if dtype.is_floating_point else torch.int64


@functools.cache
def _promoted(a: torch.dtype, b: torch.dtype) -> torch.dtype:
    wide = (torch.int32, torch.int64)
    if (a.is_floating_point and b in wide) or (b.is_floating_point and a in wide):
        return torch.float64
    return torch.promote_types(a, b)


def _arithmetic(name: str, operation: Function, real: bool = False) -> None:
    """A ufunc of two operands; `real`: integers give float64."""

    def call(a: Any, b: Any, **kwargs: Any) -> Any:
        if kwargs and any(value is not None and value is not np._NoValue for value in kwargs.values()):
            return plain(a, b, **kwargs)
        dtype = _common(a, b)
        if dtype.is_complex or (dtype == torch.bool and not real):
            return plain(a, b)
        dtype = torch.float64 if real and not dtype.is_floating_point else dtype
        return operation(_of_type(a, dtype), _of_type(b, dtype))

    plain = by_torch_numpy(name)
    register(name, call)


def _of_type(x: Any, dtype: torch.dtype) -> Any:
    """A tensor in the type computed in; a Python number as it is."""
    if isinstance(x, Tensor):
        return x.to(dtype)
    return x if type(x) in _PYTHON else on_tensor(x).to(dtype)


for _ufunc in ("add", "subtract", "multiply"):
    _arithmetic(_ufunc, getattr(torch, _ufunc))
for _ufunc in ("divide", "true_divide"):
    _arithmetic(_ufunc, lambda a, b: torch.div(on_tensor(a), b), real=True)


def _comparison(name: str, operation: Function) -> None:
    def call(a: Any, b: Any, **kwargs: Any) -> Any:
        if kwargs or not all(isinstance(x, Tensor) or type(x) in (bool, int, float) for x in (a, b)):
            return plain(a, b, **kwargs)
        if isinstance(a, Tensor) and isinstance(b, Tensor) and a.ndim and b.ndim and a.shape != b.shape:
            check_shapes(name, (a, b))
        dtype = _common(a, b)
        a, b = _of_type(a, dtype), _of_type(b, dtype)
        return operation(a, b) if isinstance(a, Tensor) else operation(on_tensor(a), b)

    plain = by_torch_numpy(name)
    register(name, call)


for _ufunc in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"):
    _comparison(_ufunc, getattr(torch, {"equal": "eq", "not_equal": "ne"}.get(_ufunc, _ufunc)))


def _reduction(name: str, operation: Function, real: bool = False) -> None:
    """sum, mean, prod, cumsum: Booleans count as integers; `real`: the result is a float."""

    def call(x: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **kwargs: Any) -> Any:
        if kwargs:
            kwargs = {key: value for key, value in kwargs.items() if value is not np._NoValue}
        if "where" in kwargs or "initial" in kwargs:
            return _partly(name, x, kwargs, axis=axis, dtype=dtype, keepdims=keepdims)
        given = bool(kwargs)
        if given or dtype is not None or keepdims not in (False, np._NoValue) or type(axis) not in (int, type(None)):
            kept = {} if keepdims in (False, np._NoValue) else {"keepdims": keepdims}
            return plain(x, axis=axis, dtype=dtype, **kept, **kwargs)
        x = on_tensor(x)
        if real and not x.dtype.is_floating_point:
            x = x.double()
        return operation(x.reshape(-1), 0) if axis is None else operation(x, axis)

    plain = by_torch_numpy(name)
    register(name, call)


def _partly(name: str, x: Any, more: dict[str, Any], **kwargs: Any) -> Any:
    """A reduction with `where=` or `initial=`: entries left out count as nothing, the initial value as one more."""
    neutral = 1.0 if name == "prod" else 0.0
    reduce = registered("sum" if name == "mean" else name)
    x, chosen = on_tensor(x), more.get("where", True)
    kept = on_tensor(chosen).bool().expand(x.shape) if chosen is not True else torch.ones_like(x, dtype=torch.bool)
    total = reduce(torch.where(kept, x, torch.full_like(x, neutral)), **kwargs)
    if name == "mean":
        return total / registered("sum")(kept, axis=kwargs["axis"], keepdims=kwargs["keepdims"])
    initial = more.get("initial", neutral)
    return total * initial if name == "prod" else total + initial


_reduction("sum", torch.sum)
_reduction("cumsum", torch.cumsum)
_reduction("prod", torch.prod)
_reduction("mean", torch.mean, real=True)


@numpy_name("negative")
def negative(x: Any, **kwargs: Any) -> Any:
    return -on_tensor(x)


@numpy_name("reshape")
def reshape(x: Any, shape: Any = None, order: str = "C", newshape: Any = None, copy: Any = None) -> Any:
    if order not in ("C", "K", "A"):
        raise NotImplementedError("reshape in Fortran order")
    shape = newshape if shape is None else shape
    return on_tensor(x).reshape((int(shape),) if np.ndim(shape) == 0 else tuple(int(n) for n in shape))


# --- sorting and searching


@numpy_name("argsort")
def argsort(x: Any, axis: int | None = -1, kind: Any = None, order: Any = None, stable: Any = None) -> Any:
    x = on_tensor(x)
    return torch.argsort(x.reshape(-1) if axis is None else x, dim=-1 if axis is None else axis, stable=True)


@numpy_name("sort")
def sort(x: Any, axis: int | None = -1, kind: Any = None, order: Any = None, stable: Any = None) -> Any:
    x = on_tensor(x)
    return torch.sort(x.reshape(-1) if axis is None else x, dim=-1 if axis is None else axis, stable=True)[0]


@numpy_name("argpartition")
def argpartition(x: Any, kth: Any, axis: int | None = -1, kind: Any = None, order: Any = None) -> Any:
    return argsort(x, axis)


@numpy_name("partition")
def partition(x: Any, kth: Any, axis: int | None = -1, kind: Any = None, order: Any = None) -> Any:
    return sort(x, axis)


@numpy_name("lexsort")
def lexsort(keys: Any, axis: int = -1) -> Any:
    rows = [on_tensor(key) for key in keys]
    order = torch.argsort(rows[0], dim=axis, stable=True)
    for row in rows[1:]:
        again = torch.argsort(torch.gather(row, axis, order), dim=axis, stable=True)
        order = torch.gather(order, axis, again)
    return order


@numpy_name("searchsorted")
def searchsorted(edges: Any, x: Any, side: str = "left", sorter: Any = None) -> Any:
    if sorter is not None:
        raise NotImplementedError("searchsorted with sorter")
    edges, x = both(edges, x)
    passed = edges <= x.unsqueeze(-1) if side == "right" else edges < x.unsqueeze(-1)
    return passed.sum(-1)


@numpy_name("digitize")
def digitize(x: Any, bins: Any, right: bool = False) -> Any:
    x, bins = both(x, bins)
    steps = agreed(bins).detach()
    if len(steps) > 1 and bool(steps[0] > steps[-1]):
        return ((x.unsqueeze(-1) <= bins) if right else (x.unsqueeze(-1) < bins)).sum(-1)
    return searchsorted(bins, x, "left" if right else "right")


@numpy_name("interp")
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    if period is not None:
        raise NotImplementedError("interp with period")
    x, xp = both(on_tensor(x).double(), on_tensor(xp).double())
    fp = on_tensor(fp).double()
    upper = searchsorted(xp, x, "right").clamp(1, len(xp) - 1) if len(xp) > 1 else torch.zeros_like(x).long()
    lower = (upper - 1).clamp(min=0)
    x0, x1, f0, f1 = xp[lower], xp[upper], fp[lower], fp[upper]
    width = torch.where(x1 > x0, x1 - x0, torch.ones_like(x1))
    inside = f0 + (f1 - f0) * ((x - x0) / width).clamp(0, 1)
    inside = torch.where(x < xp[0], fp[0] if left is None else on_tensor(left).double(), inside)
    return torch.where(x > xp[-1], fp[-1] if right is None else on_tensor(right).double(), inside)


@numpy_name("isin", "in1d")
def isin(x: Any, test: Any, assume_unique: bool = False, invert: bool = False, kind: Any = None) -> Any:
    x, test = both(x, test)
    found = (x.unsqueeze(-1) == test.reshape(-1)).any(-1)
    return ~found if invert else found


# --- running and missing values


@numpy_name("cummax")
def cummax(x: Any, axis: int = 0, **kwargs: Any) -> Any:
    return torch.cummax(on_tensor(x), axis)[0]


@numpy_name("cummin")
def cummin(x: Any, axis: int = 0, **kwargs: Any) -> Any:
    return torch.cummin(on_tensor(x), axis)[0]


@numpy_name("cumulative_sum")
def cumulative_sum(x: Any, axis: int = -1, **kwargs: Any) -> Any:
    return evaluate(np.cumsum)(x, axis=axis)


def _without_nan(name: str, filler: float) -> Function:
    def call(x: Any, *args: Any, **kwargs: Any) -> Any:
        x = on_tensor(x)
        return by_torch_numpy(name)(torch.where(torch.isnan(x), torch.full_like(x, filler), x), *args, **kwargs)

    return call


register("nansum", _without_nan("sum", 0.0))
register("nanprod", _without_nan("prod", 1.0))
register("nanmax", _without_nan("max", -float("inf")))
register("nanmin", _without_nan("min", float("inf")))
register("nancumsum", _without_nan("cumsum", 0.0))
register("nanargmax", _without_nan("argmax", -float("inf")))
register("nanargmin", _without_nan("argmin", float("inf")))


@numpy_name("nanmean")
def nanmean(x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    return torch.nanmean(on_tensor(x), dim=axis, keepdim=bool(keepdims is True))


@numpy_name("diff")
def diff(x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    x = on_tensor(x)
    given = [None if part is None or part is np._NoValue else _edge(part, x, axis) for part in (prepend, append)]
    return torch.diff(x, n, axis, prepend=given[0], append=given[1])


def _edge(part: Any, x: Tensor, axis: int) -> Any:
    part = on_tensor(part).to(x.dtype)
    if part.ndim:
        return part
    shape = list(x.shape)
    shape[axis] = 1
    return part.expand(shape)


@numpy_name("trapezoid", "trapz")
def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    y = on_tensor(y)
    y = y if y.dtype.is_floating_point else y.double()
    if x is None:
        return torch.trapezoid(y, dx=dx, dim=axis)
    return torch.trapezoid(y, on_tensor(x).to(y.dtype), dim=axis)


# --- gathering and scattering


@numpy_name("take_along_axis")
def take_along_axis(x: Any, indices: Any, axis: int | None = -1) -> Any:
    x, indices = on_tensor(x), on_tensor(indices).long()
    if axis is None:
        return x.reshape(-1)[indices.reshape(-1)]
    size = x.shape[axis]
    return torch.take_along_dim(x, torch.where(indices < 0, indices + size, indices), axis)


@numpy_name("take")
def take(x: Any, indices: Any, axis: int | None = None, out: Any = None, mode: str = "raise") -> Any:
    x, indices = on_tensor(x), on_tensor(indices).long()
    x, axis = (x.reshape(-1), 0) if axis is None else (x, axis % x.ndim)
    found = x.index_select(axis, indices.reshape(-1) % x.shape[axis])
    return found.reshape(*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])


@numpy_name("compress")
def compress(condition: Any, x: Any, axis: int | None = None, out: Any = None) -> Any:
    return take(x, true_places(on_tensor(condition).bool())[0], axis)


@numpy_name("extract")
def extract(condition: Any, x: Any) -> Any:
    return take(x, true_places(on_tensor(condition).bool().reshape(-1))[0])


@numpy_name("nonzero")
def nonzero(x: Any) -> Any:
    return true_places(on_tensor(x) != 0)


@numpy_name("flatnonzero")
def flatnonzero(x: Any) -> Any:
    return true_places(on_tensor(x).reshape(-1) != 0)[0]


@numpy_name("argwhere")
def argwhere(x: Any) -> Any:
    return torch.stack(nonzero(x), -1)


@numpy_name("where")
def where(condition: Any, *choices: Any) -> Any:
    condition = on_tensor(condition).bool()
    return torch.where(condition, *both(*choices)) if choices else nonzero(condition)


@numpy_name("select")
def select(conditions: Any, choices: Any, default: Any = 0) -> Any:
    result = on_tensor(default)
    for condition, choice in zip(reversed(conditions), reversed(choices)):
        result = where(condition, choice, result)
    return result


@numpy_name("bincount")
def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    x = on_tensor(x).long()
    amount = torch.ones_like(x) if weights is None else on_tensor(weights).double()
    return _counted(x, amount, length_of_counts(x, int(minlength)))


def length_of_counts(x: Tensor, least: int) -> int:
    """Length of a bincount: all configurations must agree on it."""
    if not x.numel() or int((each(x) if is_batched(x) else x).max()) < least:
        return least
    return int(agreed(x.max())) + 1


def _counted(places: Tensor, amount: Tensor, length: int) -> Any:
    empty = torch.zeros(length, dtype=amount.dtype)
    return spread(empty).scatter_add(0, spread(places), spread(amount))


@numpy_name("histogram")
def histogram(x: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    if density or (isinstance(bins, int) and range is None) or isinstance(bins, str):
        raise NotImplementedError("histogram whose edges depend on the data")
    fixed = isinstance(bins, int)
    edges = torch.linspace(range[0], range[1], bins + 1, dtype=torch.float64) if fixed else on_tensor(bins).double()
    x = on_tensor(x).double().reshape(-1)
    last = len(edges) - 2
    place = torch.where(x == edges[-1], last, searchsorted(edges, x, "right") - 1)
    inside = (place >= 0) & (place <= last)
    amount = inside.long() if weights is None else inside * on_tensor(weights).reshape(-1)
    return _counted(place.clamp(0, last), amount, last + 1), edges


@numpy_name("unravel_index")
def unravel_index(indices: Any, shape: Any, order: str = "C") -> Any:
    if order != "C":
        raise NotImplementedError("unravel_index in Fortran order")
    left = on_tensor(indices)
    found: list[Tensor] = []
    for size in reversed(tuple(shape)):
        found.insert(0, left % size)
        left = torch.div(left, size, rounding_mode="floor")
    return tuple(found)


@numpy_name("ravel_multi_index")
def ravel_multi_index(indices: Any, dims: Any, **kwargs: Any) -> Any:
    flat = on_tensor(0)
    for index, size in zip(indices, dims):
        flat = flat * size + on_tensor(index)
    return flat


@numpy_name("apply_along_axis")
def apply_along_axis(function: Any, axis: int, x: Any, *args: Any, **kwargs: Any) -> Any:
    raise NotImplementedError("apply_along_axis")


@numpy_name("concat")
def concat(parts: Any, axis: int | None = 0, **kwargs: Any) -> Any:
    return by_torch_numpy("concatenate")(parts, axis=axis)


@numpy_name("unique")
def unique(*args: Any, **kwargs: Any) -> Any:
    raise NotImplementedError("unique: its length depends on the values")


@numpy_name("ndim")
def ndim(x: Any) -> int:
    return on_tensor(x).ndim


@numpy_name("shape")
def shape(x: Any) -> tuple[int, ...]:
    return tuple(on_tensor(x).shape)


@numpy_name("size")
def size(x: Any, axis: int | None = None) -> int:
    return on_tensor(x).numel() if axis is None else on_tensor(x).shape[axis]


@numpy_name("matmul")
def matmul(a: Any, b: Any, **kwargs: Any) -> Any:
    return torch.matmul(*both(a, b))


@numpy_name("polyval")
def polyval(p: Any, x: Any) -> Any:
    """Horner's rule, as NumPy does it."""
    x = on_tensor(x)
    found = torch.zeros_like(x)
    for coefficient in on_tensor(p).unbind(0):
        found = found * x + coefficient
    return found

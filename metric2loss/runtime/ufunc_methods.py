"""Methods of NumPy's ufuncs on tensors: `reduce` and `accumulate` of any of them, `reduceat`, and `at`."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metric2loss.runtime.batched import agreed, is_batched, spread
from metric2loss.runtime.indexing import positions
from metric2loss.runtime.numpy_forms import Function, on_tensor, register_method, ufunc

_LONGEST = 4096  # entries that are combined one by one
_AT = {"maximum": "amax", "minimum": "amin", "multiply": "prod"}  # what scatter_reduce calls it
_LOG_SUMS = {"reduce": torch.logsumexp, "accumulate": torch.logcumsumexp}


def added_at(x: Tensor, index: Any, value: Any) -> Any:
    """`np.add.at(x, index, value)` as a new tensor."""
    x, places, value = _scattered(x, index, value)
    return x.reshape(-1).scatter_add(0, places, value).reshape(x.shape)


def changed_at(name: str, x: Tensor, index: Any, value: Any) -> Tensor:
    """`np.<name>.at(x, index, value)` as a new tensor; NotImplementedError of others than these."""
    if name in ("add", "subtract"):
        return added_at(x, index, value if name == "add" else -on_tensor(value))  # type: ignore[no-any-return]
    if name not in _AT:
        raise NotImplementedError(f"{name}.at")
    x, places, value = _scattered(x, index, value)
    return x.reshape(-1).scatter_reduce(0, places, value, _AT[name]).reshape(x.shape)


def _scattered(x: Tensor, index: Any, value: Any) -> tuple[Tensor, Tensor, Tensor]:
    """The tensor written to, flat places, and one value for each."""
    places = positions(x, index)
    value = on_tensor(value)
    dtype = torch.promote_types(x.dtype, value.dtype) if value.requires_grad else x.dtype
    x, value = x.to(dtype), value.to(dtype).expand(places.shape)
    if is_batched(places) or is_batched(value) or is_batched(x):
        x, places, value = spread(x), spread(places), spread(value)
    return x, places.reshape(-1), value.reshape(-1)


def _combined(function: Any, method: str) -> Function:
    """`reduce` or `accumulate` of a ufunc of two operands, entry after entry."""
    name = function.__name__
    call = ufunc(function, "__call__")

    def run(x: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: Any = False, **kwargs: Any) -> Any:
        kwargs = {key: value for key, value in kwargs.items() if value is not np._NoValue}
        if kwargs or dtype is not None:
            raise NotImplementedError(f"{name}.{method} with {', '.join(kwargs) or 'dtype'}")
        x = on_tensor(x)
        if axis is None:
            x, axis = x.reshape(-1), 0
        if isinstance(axis, tuple):
            if len(axis) != 1:
                raise NotImplementedError(f"{name}.{method} along several axes")
            axis = axis[0]
        if name == "logaddexp" and x.shape[axis]:
            found = _LOG_SUMS[method](x if x.is_floating_point() else x.double(), axis)
        elif not 0 < x.shape[axis] <= _LONGEST:
            raise NotImplementedError(f"{name}.{method} of {x.shape[axis]} entries")
        else:
            found = _one_by_one(call, method, x, axis)
        kept = method == "reduce" and keepdims not in (False, np._NoValue)
        return found.unsqueeze(axis) if kept else found

    return run


def _one_by_one(call: Function, method: str, x: Tensor, axis: int) -> Tensor:
    parts = list(x.unbind(axis))
    if method == "reduce":
        return functools.reduce(call, parts)
    so_far = [parts[0]]
    for part in parts[1:]:
        so_far.append(call(so_far[-1], part))
    return torch.stack(so_far, axis)


def _reduced_at(function: Any) -> Function:
    """`reduceat`: the entries from one place to the next, or the one at a place that is not before the next."""
    name = function.__name__
    whole = ufunc(function, "reduce")

    def run(x: Any, indices: Any, axis: Any = 0, dtype: Any = None, out: Any = None) -> Any:
        if dtype is not None:
            raise NotImplementedError(f"{name}.reduceat with dtype")
        x = on_tensor(x)
        starts = agreed(on_tensor(indices)).tolist()
        if not starts:
            raise NotImplementedError(f"{name}.reduceat without places")
        if name == "add" and starts == sorted(set(starts)):
            return _sums_between(x, starts, axis)
        ends = [*starts[1:], x.shape[axis]]
        parts = (
            whole(x.narrow(axis, one, other - one), axis=axis) if one < other else x.select(axis, one)
            for one, other in zip(starts, ends, strict=True)
        )
        return torch.stack(list(parts), axis)

    return run


def _sums_between(x: Tensor, starts: list[int], axis: int) -> Tensor:
    rest = x.narrow(axis, starts[0], x.shape[axis] - starts[0])
    rest = rest.long() if rest.dtype == torch.bool else rest
    part = torch.searchsorted(torch.tensor(starts), torch.arange(starts[0], x.shape[axis]), right=True) - 1
    shape = list(rest.shape)
    shape[axis] = len(starts)
    return spread(torch.zeros(shape, dtype=rest.dtype)).index_add(axis, part, rest)


register_method("reduce", lambda function: _combined(function, "reduce"))
register_method("accumulate", lambda function: _combined(function, "accumulate"))
register_method("reduceat", _reduced_at)

"""The table of NumPy's functions on tensors, and where what it lacks is found: torch._numpy, torch.special, torch.linalg.

The forms that are written by hand are entered by `numpy_functions` and its neighbours when they are imported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metric2loss.runtime.indexing import deep
from metric2loss.runtime.torch_numpy import tnp

Function = Callable[..., Any]
_TABLE: dict[str, Function] = {}
_METHODS: dict[str, Callable[[Any], Function]] = {}


def numpy_name(*names: str) -> Callable[[Function], Function]:
    """Registers the tensor form of NumPy functions."""

    def add(function: Function) -> Function:
        for name in names:
            register(name, function)
        return function

    return add


def register(name: str, function: Function) -> None:
    """The same for a function that is made elsewhere."""
    _TABLE[name] = function


def registered(name: str) -> Function:
    """The form that stands in the table."""
    return _TABLE[name]


def register_method(method: str, made: Callable[[Any], Function]) -> None:
    """Registers what makes the tensor form of a ufunc's method."""
    _METHODS[method] = made


def evaluate(function: Any) -> Function:
    """The tensor form of a NumPy function; calling an unknown one raises NotImplementedError."""
    name = function.__name__
    return _TABLE.get(name) or by_torch_numpy(name)


def ufunc(function: Any, method: str) -> Function:
    """The tensor form of a ufunc or of one of its methods."""
    name = function.__name__
    if method == "__call__":
        return _TABLE.get(name) or by_torch_numpy(name) if name in _TABLE or hasattr(tnp, name) else _special(name)
    table = {
        "reduce": {
            "add": "sum",
            "multiply": "prod",
            "maximum": "max",
            "minimum": "min",
            "logical_and": "all",
            "logical_or": "any",
        },
        "accumulate": {"add": "cumsum", "multiply": "cumprod", "maximum": "cummax", "minimum": "cummin"},
    }.get(method, {})
    if name in table:
        known = _TABLE.get(table[name]) or by_torch_numpy(table[name])
        return lambda x, axis=0, **kwargs: known(x, axis=axis, **kwargs)
    if method == "outer":
        return lambda a, b: ufunc(function, "__call__")(
            on_tensor(a).reshape(*on_tensor(a).shape, *(1,) * on_tensor(b).ndim), b
        )
    made = _METHODS.get(method)
    return _unknown(f"{name}.{method}") if made is None else made(function)


def _special(name: str) -> Function:
    found = getattr(torch.special, name, None)
    return _unknown(name) if found is None else lambda *args, **kwargs: found(*(on_tensor(a) for a in args))


def _unknown(name: str) -> Function:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(name)

    return refuse


def by_torch_numpy(name: str) -> Function:
    """What torch._numpy has under a name."""
    found = getattr(tnp, name, None)
    if found is None:
        return _of_linear_algebra(name)

    def call(*args: Any, **kwargs: Any) -> Any:
        check_shapes(name, args)
        kwargs = {key: value for key, value in kwargs.items() if value is not np._NoValue}
        args = tuple(_wrap(part) for part in args)
        return _unwrap(found(*args, **{key: _wrap(part) for key, part in kwargs.items()}))

    return call


def _of_linear_algebra(name: str) -> Function:
    found = getattr(torch.linalg, name, None)
    return _unknown(name) if found is None else lambda *args: found(*(on_tensor(part).double() for part in args))


def check_shapes(name: str, args: tuple[Any, ...]) -> None:
    """torch._numpy's comparisons answer False for shapes that do not fit, where NumPy raises."""
    if name in ("equal", "not_equal") and len(args) >= 2:
        np.broadcast_shapes(*(tuple(part.shape) if hasattr(part, "shape") else np.shape(part) for part in args[:2]))


def _wrap(part: Any) -> Any:
    if isinstance(part, Tensor):
        return tnp.ndarray(part)
    if isinstance(part, np.ndarray):
        return tnp.ndarray(torch.tensor(part))
    if isinstance(part, np.generic):
        return part.item()
    if type(part) in (list, tuple):
        return type(part)(_wrap(entry) for entry in part)
    if isinstance(part, np.dtype) or (isinstance(part, type) and issubclass(part, np.generic)):
        return np.dtype(part).name
    return part


def _unwrap(part: Any) -> Any:
    if isinstance(part, tnp.ndarray):
        return part.tensor
    return type(part)(_unwrap(entry) for entry in part) if type(part) in (list, tuple) else part


def on_tensor(x: Any) -> Tensor:
    """Anything NumPy takes for an array as a tensor."""
    if isinstance(x, Tensor):
        return x
    if type(x) in (list, tuple) and any(isinstance(part, Tensor) for part in deep(x)):
        return torch.stack([on_tensor(part) for part in x])
    return torch.tensor(np.asarray(x))


def both(a: Any, b: Any) -> tuple[Tensor, Tensor]:
    """Two such in their common type."""
    a, b = on_tensor(a), on_tensor(b)
    dtype = torch.promote_types(a.dtype, b.dtype)
    return a.to(dtype), b.to(dtype)

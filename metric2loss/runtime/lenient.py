"""Lets generated lines run with gradients and for many configurations: names through which Python asks for plain values.

`float(x)` must return a float, `math.sqrt(x)` needs one, `np.asarray(x)` an ndarray.  In f, and in g for many configurations,
the generated module's functions run with globals in which these names pass such values on.  The functions themselves are not
touched, and a plain run of g does without.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from functools import reduce
from types import FunctionType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from metric2loss.runtime.arrays import Array
from metric2loss.runtime.batched import is_batched


def many(x: Any) -> bool:
    """Whether a value differs between configurations, or carries a gradient."""
    if isinstance(x, Array):
        return x.batched or x.active
    return isinstance(x, Tensor) and (x.requires_grad or is_batched(x))


class Number:
    """Stands for `float`, `int` or `bool`: converts plain values, changes the dtype of batched ones."""

    def __init__(self, kind: type) -> None:
        self.kind = kind
        self.dtype = np.dtype(kind)
        self.torch = {float: torch.float64, int: torch.int64, bool: torch.bool}[kind]

    def __call__(self, *args: Any) -> Any:
        if len(args) == 1 and many(args[0]):
            x = args[0]
            return x.astype(self.kind) if isinstance(x, Array) else x.to(self.torch)
        return self.kind(*args)

    def __instancecheck__(self, x: Any) -> bool:
        return isinstance(x, self.kind)


class Namespace(ModuleType):
    """Stands for a module: some of its names replaced, all others its own."""

    def __init__(self, real: ModuleType, replacements: dict[str, Any]) -> None:
        super().__init__(real.__name__)
        self.__dict__.update(replacements)
        self.__dict__["_real"] = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_real"], name)


def _passing(real: Callable[..., Any]) -> Callable[..., Any]:
    """np.asarray and its kin: Arrays stay Arrays, lists that hold some are stacked, what is made fresh becomes one."""

    def call(x: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(x, (list, tuple)) and any(isinstance(part, Array) for part in x):
            x = _stacked(x)
        if isinstance(x, Tensor) and x.requires_grad:
            x = Array(x.detach().cpu().numpy(), x.cpu())
        if not isinstance(x, Array):
            return Array(real(x, *args, **kwargs))
        dtype = kwargs.get("dtype", args[0] if args else None)
        if real is not np.array and (dtype is None or np.dtype(dtype) == x.dtype):
            return x
        return x.copy() if dtype is None else x.astype(dtype)

    return call


def _reducing(real: Callable[..., Any]) -> Callable[..., Any]:
    """np.mean and its kin of a list: NumPy does not look for Arrays inside of lists."""

    def call(x: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(x, (list, tuple)) and any(isinstance(part, Array) for part in x):
            x = _stacked(x)
        return real(x, *args, **kwargs)

    return call


def _stacked(parts: Any) -> Any:
    return np.stack([part if isinstance(part, Array) else np.asarray(part) for part in parts])


def _making(real: Callable[..., Any]) -> Callable[..., Any]:
    """np.zeros and its kin: what they make may be written to with values that differ between configurations."""

    def call(*args: Any, **kwargs: Any) -> Any:
        made = real(*args, **kwargs)
        return Array(made) if isinstance(made, np.ndarray) else made

    return call


class Joined:
    """np.c_ and np.r_ with Arrays among the parts: columns side by side, or one after the other."""

    def __init__(self, real: Any, columns: bool) -> None:
        self.real, self.columns = real, columns

    def __getitem__(self, parts: Any) -> Any:
        listed = parts if isinstance(parts, tuple) else (parts,)
        if not any(isinstance(part, Array) for part in listed):
            return self.real[parts]
        whole = [part if isinstance(part, Array) else self.real[part] for part in listed]
        return np.column_stack(whole) if self.columns else np.concatenate([np.atleast_1d(part) for part in whole])


JOINED = {"c_": Joined(np.c_, True), "r_": Joined(np.r_, False)}


def _scalar(real: Any) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        return args[0].astype(real) if len(args) == 1 and many(args[0]) else real(*args, **kwargs)

    call.dtype = np.dtype(real)  # type: ignore[attr-defined]
    return call


def _mathematical(name: str) -> Callable[..., Any]:
    real = getattr(math, name)

    def call(*args: Any) -> Any:
        if not any(many(x) for x in args):
            return real(*args)
        home: Any = torch if any(isinstance(x, Tensor) for x in args) else np
        return getattr(home, name)(*args)

    return call


def _extreme(real: Callable[..., Any], pair: str) -> Callable[..., Any]:
    """max and min of several values."""

    def call(*args: Any, **kwargs: Any) -> Any:
        values = list(args[0]) if len(args) == 1 and isinstance(args[0], (list, tuple)) else list(args)
        if kwargs or len(values) < 2 or not any(many(x) for x in values):
            return real(*args, **kwargs)
        if any(isinstance(x, Tensor) for x in values):
            return reduce(getattr(torch, pair), [torch.as_tensor(x) for x in values])
        return reduce(getattr(np, pair), values)

    return call


_NUMPY = Namespace(
    np,
    {
        **{name: _passing(getattr(np, name)) for name in ("array", "asarray", "asanyarray", "ascontiguousarray")},
        **{
            name: _making(getattr(np, name))
            for name in ("zeros", "ones", "empty", "full", "arange", "linspace", "eye", "zeros_like", "ones_like")
            + ("empty_like", "full_like", "fromiter", "logspace", "tri", "identity")
        },
        **{
            name: _reducing(getattr(np, name))
            for name in ("mean", "sum", "prod", "max", "min", "amax", "amin", "average", "median", "std", "var", "any")
            + (
                "all",
                "cumsum",
                "nanmean",
                "nansum",
                "sort",
                "argsort",
                "argmax",
                "argmin",
                "diff",
                "round",
                "abs",
                "sqrt",
            )
        },
        **JOINED,
        **{name: _scalar(getattr(np, name)) for name in ("float64", "float32", "int64", "int32", "bool_")},
        "ndarray": type("ndarray", (), {"__instancecheck__": lambda self, x: isinstance(x, (Array, np.ndarray))})(),
    },
)
_MATH = Namespace(
    math, {name: _mathematical(name) for name in ("log", "log2", "log10", "log1p", "sqrt", "exp", "floor", "ceil")}
)
_BUILTINS: dict[str, Any] = {
    **{kind.__name__: Number(kind) for kind in (float, int, bool)},
    "max": _extreme(builtins.max, "maximum"),
    "min": _extreme(builtins.min, "minimum"),
}


def lenient_globals(own: dict[str, Any]) -> dict[str, Any]:
    """A module's globals for such runs; its own functions are bound to them."""
    found: dict[str, Any] = {**{name: value for name, value in _BUILTINS.items() if name not in own}, **own}
    for name, value in own.items():
        if value is np:
            found[name] = _NUMPY
        elif value is math:
            found[name] = _MATH
        elif isinstance(value, FunctionType) and value.__globals__ is own:
            found[name] = lenient(value, found)
    return found


def lenient(function: FunctionType, names: dict[str, Any]) -> FunctionType:
    """The same function with other globals."""
    bound = FunctionType(function.__code__, names, function.__name__, function.__defaults__, function.__closure__)
    bound.__kwdefaults__ = function.__kwdefaults__
    return bound


_bound: WeakKeyDictionary[type, dict[FunctionType, FunctionType]] = WeakKeyDictionary()
_names: WeakKeyDictionary[type, dict[int, dict[str, Any]]] = WeakKeyDictionary()


def _globals(kind: type, own: dict[str, Any]) -> dict[str, Any]:
    known = _names.setdefault(kind, {})
    if id(own) not in known:
        known[id(own)] = lenient_globals(own)
    return known[id(own)]


class Lenient:
    """Stands for `self` in f and in a batched g: methods of the generated class run with lenient globals."""

    def __init__(self, owner: Any) -> None:
        self.__dict__["_owner"] = owner

    def __getattr__(self, name: str) -> Any:
        kind = type(self._owner)
        found = getattr(kind, name, None)
        if not isinstance(found, FunctionType) or name not in ("f", "g", "rows") or kind.dispatched:
            return getattr(self._owner, name)
        known = _bound.setdefault(kind, {})
        if found not in known:
            known[found] = lenient(found, _globals(kind, found.__globals__))
        return known[found].__get__(self)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._owner, name, value)

"""Runs a function, and what it calls, with stand-ins for the names through which Python makes plain values of scores.

`float(x)` must return a float and `np.asarray(x)` an ndarray: no protocol can keep a score there.  A shadow of a function has
the same code and other globals: names are looked up in the real module and answered with stand-ins for `numpy`, `math`, the
built-ins and Python's own orders, and with shadows of other functions.  Nothing that exists is changed.
"""

from __future__ import annotations

import builtins
import functools
import heapq
import math
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from metric2loss.runtime.dispatch import distributions, eager, element_wise, pandas_calls, python_calls
from metric2loss.runtime.dispatch.shadow_classes import own_class, shadow_class

_KEPT = ("numpy", "torch", "metric2loss", "pandas", "functools", "typing", "contextlib", "importlib", "warnings", "inspect",
         "logging", "collections", "abc", "enum", "dataclasses", "threading", "os", "sys", "re", "random", "copy", "joblib",
         "matplotlib", "numba", "jax", "tensorflow", "weakref", "pickle", "operator", "itertools", "builtins")  # fmt: skip


class Shadows:
    """The shadows of one metric, made when they are needed.  opaque: code -> what is called instead of the function."""

    def __init__(self, opaque: Mapping[types.CodeType, Callable[[Any], Any]] | None = None) -> None:
        self.opaque = dict(opaque or {})
        self._globals: dict[int, Globals] = {}
        self._known: dict[int, tuple[Any, Any]] = {}  # by identity; the original is kept so that it stays unique
        self._built_ins = {**vars(builtins), **python_calls.BUILTINS, **eager.BUILT_INS, "__import__": self._import}
        self._modules: dict[int, Any] = {}

    def of(self, value: Any) -> Any:
        """What stands for a value: itself, unless a score could be lost in it."""
        known = self._known.get(id(value))
        if known is not None:
            return known[1]
        found = self._made(value)
        if found is not value:
            self._known[id(value)] = (value, found)
        return found

    def _made(self, value: Any) -> Any:
        if value is np:
            return python_calls.NUMPY
        if value is math:
            return python_calls.MATH
        if value is torch:
            return python_calls.TORCH
        if value is heapq:
            return python_calls.HEAPQ
        if (found := pandas_calls.stand_in(value)) is not None:
            return found
        if isinstance(value, types.ModuleType):
            return self._module(value)
        if isinstance(value, types.FunctionType):
            return self._function(value)
        if type(value) is type and own_class(value):
            return shadow_class(value, self.of)
        if type(value) in (dict, list, tuple):
            return self._table(value)
        if isinstance(value, types.MethodType):
            return types.MethodType(self.of(value.__func__), value.__self__)
        if isinstance(value, functools.partial):
            return functools.partial(self.of(value.func), *value.args, **value.keywords)
        if isinstance(value, torch.jit.ScriptFunction) and hasattr(value, "_torchdynamo_inline"):
            return self.of(value._torchdynamo_inline)
        if isinstance(value, np.vectorize):
            return element_wise.Vectorized.like(value, self.of(value.pyfunc))
        if distributions.known(value):
            return distributions.Distribution(value)
        if type(value).__name__ == "CPUDispatcher" and hasattr(value, "py_func"):
            return self.of(value.py_func)
        return python_calls.STAND_INS.get(id(value), value) if callable(value) else value

    def _table(self, value: Any) -> Any:
        """A table of functions (`{"auc": roc_auc_score}`) with their shadows; anything else as it is."""
        entries = value.values() if type(value) is dict else value
        if not value or not all(isinstance(entry, types.FunctionType) for entry in entries):
            return value
        if type(value) is dict:
            return {key: self.of(entry) for key, entry in value.items()}
        return type(value)(self.of(entry) for entry in value)

    def _module(self, module: types.ModuleType) -> Any:
        if module.__name__.partition(".")[0] in _KEPT:
            return module
        return Package(module, self)

    def _function(self, function: types.FunctionType) -> Any:
        replaced = python_calls.STAND_INS.get(id(function))
        if replaced is not None:
            return replaced
        if function.__code__ in self.opaque:
            return self.opaque[function.__code__](function)
        if (function.__module__ or "").partition(".")[0] in _KEPT:
            return function
        own = self.globals_of(function.__globals__)
        shadow = types.FunctionType(
            eager.code_of(function.__code__), own, function.__name__, function.__defaults__, self._closure(function)
        )
        self._known[id(function)] = (function, shadow)  # before its cells: they may hold it
        shadow.__kwdefaults__ = function.__kwdefaults__
        shadow.__dict__.update(function.__dict__)
        shadow.__qualname__, shadow.__module__ = function.__qualname__, function.__module__
        for cell, filled in zip(function.__closure__ or (), shadow.__closure__ or ()):
            if cell is not filled:
                filled.cell_contents = self.of(cell.cell_contents)
        return shadow

    def _closure(self, function: types.FunctionType) -> tuple[types.CellType, ...] | None:
        """Cells of its own where they hold what has a shadow; the others are shared."""
        if function.__closure__ is None:
            return None
        return tuple(types.CellType() if _has_shadow(cell) else cell for cell in function.__closure__)

    def globals_of(self, real: dict[str, Any]) -> Globals:
        """The shadow of a module's globals."""
        if isinstance(real, Globals):
            return real
        if id(real) not in self._globals:
            self._globals[id(real)] = Globals(real, self, self._built_ins)
        return self._globals[id(real)]

    def _import(self, name: str, *args: Any, **kwargs: Any) -> Any:
        given = args[0] if args else kwargs.get("globals")
        real = given.real if isinstance(given, Globals) else given
        module = builtins.__import__(name, real, *args[1:], **{k: v for k, v in kwargs.items() if k != "globals"})
        return self.of(module)


def _has_shadow(cell: types.CellType) -> bool:
    try:
        value = cell.cell_contents
    except ValueError:
        return False
    return isinstance(value, (types.FunctionType, types.MethodType, types.ModuleType, functools.partial))


class Globals(dict):  # type: ignore[type-arg]
    """Global names, looked up in the real module when they are first needed."""

    def __init__(self, real: dict[str, Any], shadows: Shadows, built_ins: dict[str, Any]) -> None:
        super().__init__(
            {
                name: real[name]
                for name in ("__name__", "__package__", "__file__", "__spec__", "__doc__")
                if name in real
            }
        )
        self["__builtins__"] = built_ins
        self.real, self.shadows = real, shadows

    def __missing__(self, name: str) -> Any:
        found = self.shadows.of(self.real[name])
        self[name] = found
        return found


class Package(types.ModuleType):
    """Stands for a module: its functions are shadows."""

    def __init__(self, real: types.ModuleType, shadows: Shadows) -> None:
        super().__init__(real.__name__)
        self.__dict__.update(_real=real, _shadows=shadows, __path__=getattr(real, "__path__", []))

    def __getattr__(self, name: str) -> Any:
        own = self.__dict__
        try:
            found = getattr(own["_real"], name)
        except AttributeError:
            found = sys.modules.get(f"{own['_real'].__name__}.{name}")
            if found is None:
                raise
        return own["_shadows"].of(found)

"""Runs the user's own operation on plain values: it decides, above all at ties."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from metric2loss.rules import SPELLINGS
from metric2loss.runtime.recorded import Operand

_COPYING = ("argmax", "argmin")  # NumPy's copy an array that may not be written to, though they do not write
_METHODS = ("astype", "to", "type", "int", "long", "short", "bool")


def called(using: str, operand: Operand, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What the user's call returns on the exact operand."""
    if using in _METHODS:
        return _converted(using, operand, args, kwargs)
    if using in _PYTHON:
        return _PYTHON[using](operand.exact.tolist(), *args, **kwargs)
    if operand.library != "numpy":
        return getattr(torch, using)(operand.exact, *args, **kwargs)
    return getattr(np, using)(_writable(operand.exact) if using in _COPYING else operand.exact, *args, **kwargs)


def _writable(exact: np.ndarray) -> np.ndarray:
    """The same memory, where that is allowed, as an array that may be written to."""
    if exact.flags.writeable or not (isinstance(exact.base, np.ndarray) and exact.base.flags.writeable):
        return exact
    found: np.ndarray = exact.view()
    found.flags.writeable = True
    return found


def _sorted(keys: list[float], reverse: bool = False, then: list[Any] | None = None) -> Any:
    """The indices in the order in which Python's `sorted` lists the items; `then` decides between equal keys."""
    order = sorted(range(len(keys)), key=lambda k: keys[k] if then is None else (keys[k], *then[k]), reverse=reverse)
    return np.array(order, dtype=np.int64)


_PYTHON: dict[str, Callable[..., Any]] = {
    "sorted": _sorted,
    "nlargest": lambda keys, n, then=None: _sorted(keys, True, then)[:n],
    "nsmallest": lambda keys, n, then=None: _sorted(keys, False, then)[:n],
    "first_argmax": lambda keys, then=None: np.int64(_sorted(keys, True, then)[0]),
    "first_argmin": lambda keys, then=None: np.int64(_sorted(keys, False, then)[0]),
}


_PYTHON_NAMES = {spelling.using: name for name, spelling in SPELLINGS.items() if spelling.using in _PYTHON}


def _converted(using: str, operand: Operand, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    x = operand.exact
    if operand.library == "torch":
        return x.to(*args, **kwargs) if using in ("to", "astype") else getattr(x, using)(*args, **kwargs)
    return np.asarray(x).astype(*args, **kwargs) if using == "astype" else np.asarray(x).astype(np.int64)


def arguments(using: str, library: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The user's arguments by name."""
    name = _PYTHON_NAMES[using] if using in _PYTHON else f"{library}.{using}"
    return SPELLINGS[name].bind(args, kwargs)


def index_part(result: Any) -> Any:
    """The index of (values, indices), else the result itself."""
    return result[1] if isinstance(result, tuple) else result


def axis_of(facts: dict[str, Any], default: int | None) -> int | None:
    """The axis under either library's name."""
    axis = facts.get("axis", facts.get("dim", default))
    return None if axis is None else int(axis)

"""Runs the user's own operation on plain values: it decides, above all at ties."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from metric2loss.rules import SPELLINGS
from metric2loss.runtime.recorded import Operand

_METHODS = ("astype", "to", "type", "int", "long", "short", "bool")


def called(using: str, operand: Operand, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What the user's call returns on the exact operand."""
    if using in _METHODS:
        return _converted(using, operand, args, kwargs)
    home: Any = np if operand.library == "numpy" else torch
    return getattr(home, using)(operand.exact, *args, **kwargs)


def _converted(using: str, operand: Operand, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    x = operand.exact
    if operand.library == "torch":
        return x.to(*args, **kwargs) if using in ("to", "astype") else getattr(x, using)(*args, **kwargs)
    return np.asarray(x).astype(*args, **kwargs) if using == "astype" else np.asarray(x).astype(np.int64)


def arguments(using: str, library: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The user's arguments by name."""
    return SPELLINGS[f"{library}.{using}"].bind(args, kwargs)


def index_part(result: Any) -> Any:
    """The index of (values, indices), else the result itself."""
    return result[1] if isinstance(result, tuple) else result


def axis_of(facts: dict[str, Any], default: int | None) -> int | None:
    """The axis under either library's name."""
    axis = facts.get("axis", facts.get("dim", default))
    return None if axis is None else int(axis)

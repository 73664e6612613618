"""Which entries are scores where scores and other numbers stand in one table: `np.column_stack([labels, scores])`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from metric2loss.runtime import indexing

_TABLES = frozenset(("stack", "vstack", "hstack", "dstack", "column_stack", "concatenate", "concat"))
_TURNING = frozenset(("transpose", "reshape", "ravel", "squeeze", "expand_dims", "flip", "moveaxis", "swapaxes"))


def scores_after(real: Callable[..., Any], args: Any, kwargs: Any, kind: type) -> np.ndarray | None:
    """Of what a NumPy function makes of arrays, some of type `kind`: which entries are scores; None where all are."""
    name = getattr(real, "__name__", "")
    if name not in _TABLES and name not in _TURNING:
        return None
    parts = [part for part in indexing.deep(args[:1]) if isinstance(part, (kind, np.ndarray))]
    if all(isinstance(part, kind) and part.active and part._scored is None for part in parts):  # type: ignore[attr-defined]
        return None

    def scores_of(part: Any) -> Any:
        if type(part) in (list, tuple):
            return type(part)(scores_of(entry) for entry in part)
        if isinstance(part, kind):
            return np.full(part.shape, part.active) if part._scored is None else part._scored  # type: ignore[attr-defined]
        return np.zeros(np.shape(part), dtype=bool)

    return np.asarray(real(scores_of(args[0]), *args[1:], **kwargs))

"""NumPy's functions that write into their first argument, as writes by index into an Array."""

from __future__ import annotations

from typing import Any

import numpy as np

NAMES = frozenset(("put_along_axis", "copyto", "putmask", "place", "fill_diagonal"))


def written_by(function: Any, target: Any, *args: Any, **kwargs: Any) -> None:
    """What `np.copyto(target, …)` and its kin do to the target."""
    name = function.__name__
    if name == "put_along_axis":
        indices, values, axis = (*args, kwargs.get("axis", -1))[:3]
        grid = np.arange(target.size).reshape(target.shape)
        flat = target.reshape(-1).copy()
        flat[np.take_along_axis(type(target)(grid), indices, axis)] = values
        target.assign(flat.reshape(target.shape))
    elif name == "copyto":
        target[...] = np.where(kwargs["where"], args[0], target) if "where" in kwargs else args[0]
    elif name == "fill_diagonal":
        places = np.arange(min(target.shape))
        target[(places,) * target.ndim] = args[0]
    else:
        target[...] = np.where(args[0], _dealt_out(name, target, *args), target)


def _dealt_out(name: str, target: Any, mask: Any, values: Any) -> Any:
    """The value for each entry: `putmask` counts all entries, `place` those of the mask; both begin again at the end."""
    values = values if hasattr(values, "shape") else np.asarray(values)
    if not values.ndim or (name == "putmask" and values.shape == target.shape):
        return values
    count = np.arange(target.size) if name == "putmask" else np.cumsum(np.reshape(mask, -1)) - 1
    return values.reshape(-1)[count % values.size].reshape(target.shape)

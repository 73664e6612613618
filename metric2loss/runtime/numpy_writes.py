"""NumPy's functions that write into their first argument, as writes by index into an Array."""

from __future__ import annotations

from typing import Any

import numpy as np

NAMES = frozenset(("put_along_axis", "copyto", "putmask", "place", "fill_diagonal"))


def written_by(function: Any, target: Any, *args: Any, where: Any = True, casting: str = "") -> None:
    """What `np.copyto(target, …)` and its kin do to the target."""
    name = function.__name__
    if name == "put_along_axis":
        indices, values, axis = (*args, -1)[:3]
        grid = np.arange(target.size).reshape(target.shape)
        flat = target.reshape(-1).copy()
        flat[np.take_along_axis(type(target)(grid), indices, axis)] = values
        target.assign(flat.reshape(target.shape))
    elif name == "copyto":
        target[...] = args[0] if where is True else np.where(where, args[0], target)
    elif name == "fill_diagonal":
        places = np.arange(min(target.shape))
        target[(places,) * target.ndim] = args[0]
    else:
        target[args[0]] = args[1]

"""NumPy functions that only move entries about, on tensors: where each entry of the result came from is found by watching it.

`np.delete`, `np.insert`, `np.pad`, `ravel(order="F")`, … compute nothing.  Run on numbered entries instead of values, they show
which entry went where; entries that stay the same for two numberings are constants of the call.  It is used only where the
values agree, so that a function that does compute is never taken for one that does not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

_FIRST, _SECOND = 2**40, 2**41  # numberings: no constant of a call is as large


def moved(arrays: list[Any], run: Callable[[list[np.ndarray]], Any], exact: Any) -> Tensor | None:
    """The tensor form of a result `exact`, when it is a rearrangement of the arrays' entries; None when not.

    run: the call with other values in place of the arrays.
    """
    if not isinstance(exact, (np.ndarray, np.generic)) or not arrays:
        return None
    sizes = np.cumsum([0, *(x.size for x in arrays)])
    found = []
    for first in (_FIRST, _SECOND):
        numbered = [
            np.arange(first + start, first + start + x.size, dtype=np.float64).reshape(x.shape)
            for start, x in zip(sizes, arrays)
        ]
        try:
            found.append(np.asarray(run(numbered), dtype=np.float64))
        except Exception:  # noqa: BLE001 - the call has checks of its own that no numbering passes
            return None
    one, other = found
    kept = other - one == _SECOND - _FIRST
    if one.shape != np.shape(exact) or not (kept | (one == other)).all() or not kept.any():
        return None
    places = np.where(kept, one - _FIRST, 0).astype(np.int64)
    if (places < 0).any() or (places >= sizes[-1]).any():
        return None
    entries = torch.cat([x.tensor.reshape(-1) for x in arrays])
    constant = torch.tensor(np.where(kept, 0.0, np.asarray(exact, dtype=np.float64)), dtype=entries.dtype)
    result = torch.where(torch.tensor(kept), entries[torch.tensor(places)], constant)
    values = result.detach().numpy()
    return result if np.array_equal(values, np.asarray(exact, dtype=values.dtype), equal_nan=True) else None

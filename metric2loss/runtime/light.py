"""A number or so for each row: on a CPU such vectors are computed with as NumPy's, whose calls cost a fraction of torch's.

The operators are the same, so that a formula is written once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor


def light(x: Tensor) -> Any:
    """The tensor, which has no graph, as an ndarray of the same memory, if it is on a CPU."""
    return x.numpy() if x.is_cpu and x.dtype is not torch.bfloat16 else x


def heavy(x: Any) -> Tensor:
    """The tensor of what was made light."""
    return torch.from_numpy(x) if isinstance(x, np.ndarray) else x


def up_to(n: int, like: Any) -> Any:
    """0, 1 … n − 1, as light as `like`."""
    return np.arange(n) if isinstance(like, np.ndarray) else torch.arange(n, device=like.device)


def fitted(x: Any, like: Any) -> Any:
    """The numbers in the dtype of `like`."""
    return x.astype(like.dtype, copy=False) if isinstance(x, np.ndarray) else x.to(like.dtype)


def joint(first: Any, second: Any) -> Any:
    """One after the other."""
    return np.concatenate((first, second)) if isinstance(first, np.ndarray) else torch.cat((first, second))


def some(x: Any) -> bool:
    """Whether any truth value is true."""
    return bool(np.count_nonzero(x) if isinstance(x, np.ndarray) else x.any())


def least(x: Any) -> float:
    """The smallest number of what may be light; `x.min()` of NumPy's is a detour."""
    return float(np.minimum.reduce(x, axis=None) if isinstance(x, np.ndarray) else x.min())


def total(x: Any) -> float:
    """The sum."""
    return float(np.add.reduce(x, axis=None) if isinstance(x, np.ndarray) else x.sum())

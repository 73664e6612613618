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


def least(x: Any) -> float:
    """The smallest number of what may be light; `x.min()` of NumPy's is a detour."""
    return float(np.minimum.reduce(x, axis=None) if isinstance(x, np.ndarray) else x.min())


def total(x: Any) -> float:
    """The sum."""
    return float(np.add.reduce(x, axis=None) if isinstance(x, np.ndarray) else x.sum())

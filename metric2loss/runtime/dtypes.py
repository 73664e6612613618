"""Values and types between NumPy and torch."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor


def as_tensor(x: Any) -> Tensor:
    """A tensor with the values of an ndarray (copied: views with negative strides and read-only arrays are no tensors)."""
    return torch.from_numpy(np.array(x, order="C"))


def torch_dtype(dtype: Any) -> torch.dtype:
    """The torch dtype of anything NumPy takes for one."""
    return _torch_dtype(np.dtype(dtype))


@cache
def _torch_dtype(dtype: np.dtype[Any]) -> torch.dtype:
    return torch.from_numpy(np.empty(0, dtype=dtype)).dtype


def dtype_of(x: Tensor) -> np.dtype[Any]:
    """The NumPy dtype of a tensor (also a batched one, which has no NumPy form)."""
    return _numpy_dtype(x.dtype)


@cache
def _numpy_dtype(dtype: torch.dtype) -> np.dtype[Any]:
    return torch.empty(0, dtype=dtype).numpy().dtype

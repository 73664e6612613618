"""Turns a batch of NumPy arrays into the arguments a metric is called with: its own library, its default precision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from metric2loss.runtime import SurrogateLoss
from metric2loss.runtime.selfcheck import value_of


def call_metric(loss: type[SurrogateLoss], metric: Callable[..., Any], arguments: Mapping[str, Any]) -> float:
    """The metric in the library it was written for."""
    return value_of(loss(), in_its_library(loss, metric, arguments), metric)


def in_its_library(
    loss: type[SurrogateLoss], metric: Callable[..., Any], arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """Tensors or arrays; a metric that imports neither library gets tensors, as in training, if it takes them."""
    dtype = torch.float32 if loss.library == "torch" else torch.float64
    tensors = {name: _tensor(value, dtype) for name, value in arguments.items()}
    if loss.library == "torch":
        return tensors
    if loss.library is None and _takes(loss, metric, tensors):
        return tensors
    return {name: _array(value) for name, value in arguments.items()}


def _takes(loss: type[SurrogateLoss], metric: Callable[..., Any], tensors: Mapping[str, Any]) -> bool:
    try:
        value_of(loss(), tensors, metric)
    except Exception:  # noqa: BLE001 - the user's code; what it does with arrays is what counts then
        return False
    return True


def _tensor(value: Any, dtype: torch.dtype) -> Any:
    if isinstance(value, np.ndarray):
        value = torch.from_numpy(np.ascontiguousarray(value))
    return value.to(dtype) if isinstance(value, torch.Tensor) and value.is_floating_point() else value


def _array(value: Any) -> Any:
    return value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else value

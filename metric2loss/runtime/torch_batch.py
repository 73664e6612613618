"""Torch functions that vmap refuses, while g of a torch metric runs for many configurations."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from metric2loss.runtime import indexing
from metric2loss.runtime.batched import agreed, is_batched, spread, true_places
from metric2loss.runtime.numpy_functions import length_of_counts


class TorchBatch(TorchFunctionMode):
    """Values that Python needs are agreed on or split, masks become places, buffers are made for every configuration."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name in _FACTORIES:
            return spread(func(*args, **kwargs))
        handled = _HANDLED.get(name)
        if handled is None or not any(isinstance(part, Tensor) and is_batched(part) for part in indexing.deep(args)):
            return func(*args, **kwargs)
        return handled(func, args, kwargs)


_FACTORIES = frozenset(
    ("zeros", "ones", "empty", "full", "zeros_like", "ones_like", "empty_like", "full_like", "new_zeros")
)


def _one_value(func: Any, args: Any, kwargs: Any) -> Any:
    return func(agreed(args[0]), *args[1:], **kwargs)


def _item(func: Any, args: Any, kwargs: Any) -> Any:
    return args[0].reshape(())  # only Python's own conversions need a plain value


def _get(func: Any, args: Any, kwargs: Any) -> Tensor:
    return indexing.read(args[0], args[1])


def _set(func: Any, args: Any, kwargs: Any) -> None:
    x, index, value = args
    made = indexing.written(x, index, torch.as_tensor(value, device=x.device))
    if not is_batched(x) and is_batched(made):
        raise RuntimeError("a tensor shared by all configurations is written to")
    x.copy_(made)


def _nonzero(func: Any, args: Any, kwargs: Any) -> Any:
    places = true_places(args[0] != 0)
    return places if kwargs.get("as_tuple") else torch.stack(places, -1)


def _where(func: Any, args: Any, kwargs: Any) -> Any:
    return true_places(args[0]) if len(args) == 1 else func(*args, **kwargs)


def _masked_select(func: Any, args: Any, kwargs: Any) -> Tensor:
    shape = np.broadcast_shapes(tuple(args[0].shape), tuple(args[1].shape))
    return indexing.read(args[0].expand(shape), args[1].expand(shape))


def _bincount(func: Any, args: Any, kwargs: Any) -> Tensor:
    x = args[0]
    weights = kwargs.get("weights", args[1] if len(args) > 1 else None)
    least = kwargs.get("minlength", args[2] if len(args) > 2 else 0)
    size = length_of_counts(x, int(least))
    amount = torch.ones_like(x) if weights is None else weights
    empty = torch.zeros(size, dtype=amount.dtype, device=x.device)
    return spread(empty).scatter_add(0, spread(x).long(), spread(amount))


def _by_value(func: Any, args: Any, kwargs: Any) -> Any:
    """torch.unique and the like: the result's shape depends on the values, so they must agree."""
    return func(*(agreed(part) if isinstance(part, Tensor) else part for part in args), **kwargs)


_HANDLED = {
    **{name: _one_value for name in ("__bool__", "__int__", "__float__", "__index__", "tolist", "__format__", "numpy")},
    **{name: _by_value for name in ("unique", "_unique2", "unique_consecutive", "equal", "allclose", "__contains__")},
    "item": _item,
    "__getitem__": _get,
    "__setitem__": _set,
    "nonzero": _nonzero,
    "argwhere": _nonzero,
    "where": _where,
    "masked_select": _masked_select,
    "bincount": _bincount,
}

"""NumPy's indexing on tensors, batched or not: negative steps, masks, integers that differ between configurations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metric2loss.runtime.batched import is_batched, spread, true_places


def listed(index: Any) -> tuple[Any, ...]:
    return index if isinstance(index, tuple) else (index,)


def replaced(index: Any, kind: type, change: Callable[[Any], Any]) -> Any:
    """The index with its parts of one type changed."""

    def part(entry: Any) -> Any:
        if isinstance(entry, kind):
            return change(entry)
        if isinstance(entry, list) and any(isinstance(inner, kind) for inner in entry):
            return [part(inner) for inner in entry]
        return entry

    return tuple(part(entry) for entry in index) if isinstance(index, tuple) else part(index)


def deep(value: Any) -> list[Any]:
    """The entries of nested lists, tuples and dicts."""
    found: list[Any] = []
    waiting = [value]
    while waiting:
        part = waiting.pop()
        kind = type(part)
        if kind is tuple or kind is list:
            waiting.extend(reversed(part))
        elif kind is dict:
            waiting.extend(reversed(list(part.values())))
        else:
            found.append(part)
    return found


def changed(value: Any, change: Callable[[Any], Any]) -> Any:
    """The same nesting of lists, tuples and dicts with every entry changed."""
    if type(value) in (list, tuple):
        return type(value)([changed(part, change) for part in value])
    if type(value) is dict:
        return {key: changed(part, change) for key, part in value.items()}
    return change(value)


def read(x: Tensor, index: Any) -> Tensor:
    """`x[index]` as NumPy means it."""
    parts, x, squeezed = _prepared(x, index)
    if not parts:
        return x
    found = _gathered(x, parts[0]) if len(parts) == 1 else x[tuple(parts)]
    return found.squeeze(0) if squeezed else found


def _gathered(x: Tensor, part: Any) -> Tensor:
    """`x[part]`; places along the first axis the way that is four times as fast, where none is negative."""
    if isinstance(part, Tensor) and part.dtype == torch.long and part.ndim and x.ndim and x.device.type == "cpu":
        try:
            return x.index_select(0, part.reshape(-1)).reshape(*part.shape, *x.shape[1:])
        except (RuntimeError, IndexError):
            pass  # a negative place
    found: Tensor = x[part]
    return found


def written(x: Tensor, index: Any, value: Tensor) -> Tensor:
    """`x` after `x[index] = value`, as a new tensor that may differ between configurations."""
    mask = index if isinstance(index, Tensor) and index.dtype == torch.bool else None
    value = value.to(x.dtype) if not (value.requires_grad and not x.dtype.is_floating_point) else value
    if mask is not None and not value.ndim and mask.ndim <= x.ndim:
        return torch.where(mask.reshape(*mask.shape, *(1,) * (x.ndim - mask.ndim)), value, x)
    places = positions(x, index)
    if x.ndim == 0:
        return value.reshape(()).clone()
    if is_batched(places) or is_batched(value):
        x = spread(x)
    source = value.expand(places.shape).reshape(-1)
    places = places.reshape(-1)
    if is_batched(x):
        source, places = spread(source), spread(places)
    return x.reshape(-1).scatter(0, places, source).reshape(x.shape)


def positions(x: Tensor, index: Any) -> Tensor:
    """Flat positions that an index names."""
    grid = torch.arange(x.numel(), device=x.device).reshape(x.shape)
    return read(grid, index)


def _prepared(x: Tensor, index: Any) -> tuple[list[Any], Tensor, bool]:
    """Parts that torch takes: masks become places, negative steps are turned first, arrays become tensors."""
    parts: list[Any] = []
    axis = 0
    entries = list(listed(index))
    named = sum(_width(entry) for entry in entries)
    for entry in entries:
        entry = _tensor(entry, x)
        if entry is Ellipsis:
            parts.append(entry)
            axis += x.ndim - named
        elif isinstance(entry, slice) and entry.step is not None and int(entry.step) < 0:
            chosen = range(*entry.indices(x.shape[axis]))
            x = x.index_select(axis, torch.tensor(list(chosen), dtype=torch.long, device=x.device))
            parts.append(slice(None))
            axis += 1
        elif isinstance(entry, Tensor) and entry.dtype == torch.bool and entry.ndim:
            parts.extend(true_places(entry))
            axis += entry.ndim
        else:
            parts.append(entry.long() if isinstance(entry, Tensor) and entry.dtype != torch.bool else entry)
            axis += 0 if entry is None else 1
    return _with_scalars(parts, x)


def _with_scalars(parts: list[Any], x: Tensor) -> tuple[list[Any], Tensor, bool]:
    """A 0-d index that differs between configurations is refused by torch: index with one entry and drop the axis."""
    scalars = [place for place, part in enumerate(parts) if isinstance(part, Tensor) and not part.ndim]
    if not scalars:
        return parts, x, False
    arrays = any(isinstance(part, Tensor) and part.ndim for part in parts)
    if not arrays and len(parts) == 1:
        return [parts[0].unsqueeze(0)], x, True
    if not arrays:  # mixed with slices: one axis at a time, from the last
        return _one_by_one(parts, x)
    return parts, x, False


def _one_by_one(parts: list[Any], x: Tensor) -> tuple[list[Any], Tensor, bool]:
    if any(part is Ellipsis or part is None for part in parts):
        raise NotImplementedError("an index that differs between configurations beside ... or None")
    kept: list[Any] = list(parts)
    for axis in reversed(range(len(parts))):
        if isinstance(parts[axis], Tensor):
            x = x.index_select(axis, parts[axis].reshape(1) % x.shape[axis]).squeeze(axis)
            del kept[axis]
    return kept, x, False


def _width(entry: Any) -> int:
    if entry is None or entry is Ellipsis:
        return 0
    return entry.ndim if isinstance(entry, (Tensor, np.ndarray)) and entry.dtype in (torch.bool, np.bool_) else 1


def _tensor(entry: Any, x: Tensor) -> Any:
    if isinstance(entry, (np.ndarray, list)):
        if isinstance(entry, list) and any(isinstance(part, Tensor) for part in entry):
            return torch.stack([torch.as_tensor(part) for part in entry])
        made = torch.tensor(np.array(entry, order="C"), device=x.device)
        return made.long() if not made.numel() else made
    return int(entry) if isinstance(entry, np.integer) else bool(entry) if isinstance(entry, np.bool_) else entry

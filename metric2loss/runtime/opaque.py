"""Calls whose source is not run with scores inside: order-invariant ones get ranks, that is, sums of steps."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metric2loss.runtime.arrays import Array
from metric2loss.runtime.dispatch.ranks import as_array, dense
from metric2loss.runtime.dispatch.reading import Dispatch, any_active, current, is_active, plain
from metric2loss.runtime.order_invariant import Invariance


def wrapped(promise: Invariance) -> Callable[[Any], Any]:
    """From a function that keeps the promise to one that may be called with scores."""

    def wrap(function: Any) -> Any:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            reading = current()
            if reading is None or not any_active(args, kwargs):
                return function(*args, **kwargs)
            bound = signature.bind(*args, **kwargs)
            name = getattr(function, "__name__", "a call")
            bound.arguments.update(counted(reading, promise, bound.arguments, name))
            if any_active(tuple(bound.arguments.values())):
                raise reading.lost(name)
            with reading.sleeping():
                return function(*bound.args, **bound.kwargs)

        return call

    return wrap


def counted(reading: Dispatch, promise: Invariance, arguments: Mapping[str, Any], name: str) -> dict[str, Any]:
    """`ranked`, with the binaries it costs written down under the name of the call."""
    if not reading.recording:
        return ranked(reading, promise, arguments)
    before = reading.binaries()
    found = ranked(reading, promise, arguments)
    reading.calls[name] = reading.calls.get(name, 0) + reading.binaries() - before
    return found


def ranked(reading: Dispatch, promise: Invariance, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The promised arguments as ranks; those compared with each other are ranked together, active or not."""
    named = {name: arguments[name] for name in promise.arguments if arguments.get(name) is not None}
    given = {name: _joined(x) for name, x in named.items() if promise.within == "all" or any_active(x)}
    together = [given] if promise.within == "all" else [{name: x} for name, x in given.items()]
    supposed = _supposed(reading, arguments, given)
    return {name: rank for group in together for name, rank in _ranks(reading, promise, group, supposed).items()}


def _joined(x: Any) -> Any:
    """Lists of scores as one array."""
    if isinstance(x, (list, tuple)):
        return np.stack([as_array(part) if is_active(part) else np.asarray(part) for part in x])
    return x


def _supposed(reading: Dispatch, arguments: Mapping[str, Any], given: Mapping[str, Any]) -> tuple[Any, ...]:
    """Passive arrays as long as the scores: items equal in all of them may be interchangeable."""
    shapes = {tuple(x.shape) for x in given.values()}
    if len(given) != 1:
        return ()
    found = []
    for value in arguments.values():
        if any_active(value):
            continue
        value = plain(value) if isinstance(value, (Array, Tensor)) else value
        if isinstance(value, (np.ndarray, Tensor)) and tuple(value.shape) in shapes:
            found.append(value)
    return tuple(found)


def _ranks(
    reading: Dispatch, promise: Invariance, group: Mapping[str, Any], supposed: tuple[Any, ...]
) -> dict[str, Any]:
    """Ranks of several arguments, as numbers between 0 and 1 in the type of each."""
    arrays = {name: as_array(x) for name, x in group.items()}
    if promise.within == "rows":
        return {name: _shaped(group[name], _scaled(dense(reading, x, supposed))) for name, x in arrays.items()}
    flat: Any = next(iter(arrays.values())).reshape(-1)
    if len(arrays) > 1:
        flat = np.concatenate([x.reshape(-1) for x in arrays.values()])
    even = tuple(s.reshape(-1) for s in supposed)
    ranks = _scaled(dense(reading, flat, even))
    found, start = {}, 0
    for name, x in arrays.items():
        found[name] = _shaped(group[name], ranks[start : start + x.size].reshape(x.shape))
        start += x.size
    return found


def _scaled(ranks: Any) -> Any:
    """Ranks as fractions: probabilities stay probabilities, and are no integers."""
    return (ranks + 0.5) / ranks.shape[-1]


def _shaped(like: Any, ranks: Any) -> Any:
    if isinstance(like, Tensor):
        found = ranks.tensor if isinstance(ranks, Array) else torch.as_tensor(ranks)
        return found.to(like.dtype)
    return ranks

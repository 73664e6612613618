"""Ranks of scores as a sum of steps: the order, and where in it equal scores stand (recorded, for no gradient makes ties)."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from metric2loss.runtime import steps
from metric2loss.runtime.arrays import Array
from metric2loss.runtime.dispatch.reading import Dispatch, is_active, rewrapped
from metric2loss.runtime.native import called
from metric2loss.runtime.recorded import Operand


def dense(reading: Dispatch, x: Array, supposed: tuple[Any, ...] = ()) -> np.ndarray:
    """0, 1, 2 … along the last axis, equal for equal scores: discrete, and in the order of the scores."""
    operand = Operand.of(x)
    # with ties, equal items are no more interchangeable: which of them is tied with a third one matters
    alone = bool(supposed) and not _has_ties(operand.exact)
    extra: dict[str, Any] = {"supposed_apart_by": supposed} if alone else {}
    stable: dict[str, Any] = {"kind": "stable"}
    order = reading.meet(
        steps.order, x, using="argsort", native=lambda: called("argsort", operand, (), stable), **stable, **extra
    )
    values = np.take_along_axis(x, order, axis=-1)  # type: ignore[var-annotated, arg-type]
    greater = reading.meet(steps.compare, values[..., 1:], ">", values[..., :-1], guard=True)
    first = np.zeros((*np.shape(greater)[:-1], 1), dtype=np.int64)
    number = np.concatenate([first, np.cumsum(greater, axis=-1)], axis=-1)
    ranks = np.zeros(number.shape, dtype=np.int64)
    np.put_along_axis(ranks, order, number, axis=-1)
    return ranks


def _has_ties(values: Any) -> bool:
    exact = np.sort(np.asarray(values), axis=-1)
    return bool((exact[..., 1:] == exact[..., :-1]).any())


def as_array(x: Any) -> Any:
    """A tensor as an array, active or not as it was."""
    if not isinstance(x, Tensor):
        return x if isinstance(x, Array) else np.asarray(x)
    found = rewrapped(x)
    return found if is_active(x) else found.exact

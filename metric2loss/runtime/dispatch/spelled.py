"""Applies the rule of a spelling to a live call: the arguments as the user's operation takes them, its result as it gives it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metric2loss.rules import Spelling
from metric2loss.runtime import order_statistics, steps
from metric2loss.runtime.arrays import Array
from metric2loss.runtime.dispatch.reading import Dispatch, is_active, plain
from metric2loss.runtime.native import called, index_part
from metric2loss.runtime.recorded import Operand

NOT_A_STEP: Any = object()  # this call of a spelled function decides nothing
_OPERANDS = ("input", "a", "x", "self", "x1")
_SECOND = ("other", "x2", "boundaries", "bins", "v")
_OPERATIONS = {name: getattr(steps, name) for name in ("order", "choose", "compare", "rounding", "binning", "sign")}


def applied(reading: Dispatch, spelling: Spelling, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What the call returns; NOT_A_STEP when it is none."""
    args, kwargs = _positional(spelling, args, kwargs)
    if spelling.rule == "compare":
        return compared(
            reading, spelling.operator or ">", args[0], args[1] if len(args) > 1 else spelling.right_constant
        )
    if spelling.rule == "binning":
        return _binned(reading, spelling, args, kwargs)
    x, rest = args[0], args[1:]
    if not is_active(x):
        return NOT_A_STEP
    if spelling.rule in ("order", "choose"):
        return _ranked(reading, spelling, x, rest, kwargs)
    if spelling.discrete_dtype and not discrete(rest, kwargs):
        return NOT_A_STEP
    using = {"__floordiv__": "floor_divide"}.get(spelling.using, spelling.using)
    return reading.meet(_OPERATIONS[spelling.rule], x, *rest, using=using, **kwargs)


def compared(reading: Dispatch, operator: str, left: Any, right: Any) -> Any:
    """`left operator right`, element by element."""
    if not (is_active(left) or is_active(right)) or not (_is_number(left) and _is_number(right)):
        return NOT_A_STEP
    return reading.meet(steps.compare, left, operator, right)


def nonzero(reading: Dispatch, x: Any) -> Any:
    """Whether each entry is true, of anything."""
    return compared(reading, "!=", x, 0.0) if is_active(x) else x


def _positional(
    spelling: Spelling, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The operands by position, also where the user names them."""
    kwargs = {name: value for name, value in kwargs.items() if value is not np._NoValue}
    kwargs.pop("out", None)
    for names in (_OPERANDS, _SECOND)[len(args) :]:
        found = next((name for name in names if name in kwargs), None)
        if found is not None and (names is _OPERANDS or spelling.right is not None or spelling.rule == "binning"):
            args = (*args, kwargs.pop(found))
    if spelling.rule in ("compare", "sign") or spelling.using in ("floor", "ceil", "rint", "trunc"):
        kwargs = {name: value for name, value in kwargs.items() if name not in ("where", "dtype", "casting")}
    return args, kwargs


def _binned(reading: Dispatch, spelling: Spelling, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    x, edges = args[spelling.operand], args[1 if spelling.right is None else spelling.right]
    if is_active(edges):
        return counted_below(reading, edges, x, _right(spelling, args, kwargs))
    if not is_active(x):
        return NOT_A_STEP
    if spelling.using == "digitize" and len(args) > 2:
        kwargs = {"right": args[2], **kwargs}
    return reading.meet(steps.binning, x, edges, using=spelling.using, **kwargs)


def _right(spelling: Spelling, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return kwargs.get("side", args[2] if len(args) > 2 else "left") == "right" or bool(kwargs.get("right", False))


def counted_below(reading: Dispatch, edges: Any, x: Any, right: bool) -> Any:
    """searchsorted among scores: how many edges are less than (right: not greater than) each x."""
    torch_like = isinstance(edges, Tensor) or isinstance(x, Tensor)
    spread_x = (x if hasattr(x, "shape") else np.asarray(x))[..., None]
    if torch_like and edges.ndim > 1:
        edges = edges[..., None, :]
    below = reading.meet(steps.compare, edges, "<=" if right else "<", spread_x)
    return below.sum(-1)


def _ranked(reading: Dispatch, spelling: Spelling, x: Any, rest: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """An order or a choice; where the user's call returns values beside indices, the values are those at the indices."""
    facts = {**dict(zip(spelling.parameters, rest)), **kwargs}
    facts = {{"axis": "dim", "keepdims": "keepdim"}.get(k, k) if spelling.index else k: v for k, v in facts.items()}
    if spelling.needs and not all(isinstance(facts.get(name), int) for name in spelling.needs):
        return NOT_A_STEP
    operand = Operand.of(x)

    def native() -> Any:
        found = index_part(called(spelling.using, operand, rest, kwargs))
        return found.clone() if isinstance(found, Tensor) else found

    extra: dict[str, Any] = (
        {"supposed_apart_by": reading.supposed} if spelling.rule == "order" and reading.supposed else {}
    )
    # inside of its parts a partition is in any order: later steps have to meet the one that replay gives
    as_called = None if spelling.using == "argpartition" else native
    index = reading.meet(
        _OPERATIONS[spelling.rule], x, *rest, using=spelling.using, native=as_called, **extra, **kwargs
    )
    if spelling.index is None:
        return index
    return with_values(spelling.using, x, index, facts.get("dim", -1), bool(facts.get("keepdim", False)))


def with_values(using: str, x: Tensor, index: Tensor, dim: int, keepdim: bool) -> Any:
    """(values, indices) as torch returns them."""
    if not x.ndim:
        return _pair(using)((x, index))
    places = index if keepdim or using in ("sort", "topk") else index.unsqueeze(dim)
    values = torch.take_along_dim(x, places, dim)
    if using in order_statistics.PICKING:
        values = order_statistics.around(x, values, places, dim)
    return _pair(using)((values if places is index else values.squeeze(dim), index))


def _pair(using: str) -> Callable[[Any], Any]:
    return getattr(torch.return_types, using)  # type: ignore[no-any-return]


def discrete(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a conversion leads to integers or truth values."""
    for value in (*args, *kwargs.values()):
        if isinstance(value, Tensor):
            value = value.dtype
        if isinstance(value, torch.dtype):
            return not (value.is_floating_point or value.is_complex)
        if isinstance(value, str) and ("Tensor" in value):
            return not any(kind in value for kind in ("Float", "Double", "Half", "BFloat"))
        if isinstance(value, (type, str, np.dtype)):
            try:
                return np.dtype(value).kind in "biu"
            except TypeError:
                continue
    return False


def _is_number(x: Any) -> bool:
    if isinstance(x, (Tensor, Array, int, float, np.generic)):
        return True
    if isinstance(x, np.ndarray):
        return x.dtype.kind in "biuf"
    return isinstance(x, (list, tuple)) and all(_is_number(part) for part in x)


def as_plain(value: Any) -> Any:
    """For native calls."""
    return plain(value)

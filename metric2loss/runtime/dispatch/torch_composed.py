"""Torch functions that are made of several steps, written with the steps: unique, isclose, kthvalue …"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from metric2loss.runtime import steps
from metric2loss.runtime.dispatch.reading import Dispatch, is_active
from metric2loss.runtime.dispatch.spelled import NOT_A_STEP, nonzero, with_values
from metric2loss.runtime.native import called
from metric2loss.runtime.recorded import Operand

Function = Callable[[Dispatch, Any, tuple[Any, ...], dict[str, Any]], Any]
TABLE: dict[str, Function] = {}


def _composes(*names: str) -> Callable[[Function], Function]:
    def add(function: Function) -> Function:
        TABLE.update(dict.fromkeys(names, function))
        return function

    return add


@_composes("any", "all", "logical_and", "logical_or", "logical_xor", "nonzero", "argwhere", "count_nonzero")
def _truths(reading: Dispatch, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return func(*(nonzero(reading, x) if is_active(x) else x for x in args), **kwargs)


@_composes("where")
def _where(reading: Dispatch, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if func is torch.Tensor.where or not is_active(args[0]):
        return NOT_A_STEP
    return func(nonzero(reading, args[0]), *args[1:], **kwargs)


@_composes("isclose")
def _isclose(reading: Dispatch, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return _close(reading, *args, **kwargs)


@_composes("allclose")
def _allclose(reading: Dispatch, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return bool(_close(reading, *args, **kwargs).all())


def _close(
    reading: Dispatch, a: Tensor, b: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    return reading.meet(steps.compare, (a - b).abs(), "<=", atol + rtol * torch.as_tensor(b).abs())


@_composes("equal")
def _equal(reading: Dispatch, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    a, b = args
    return a.shape == b.shape and bool(reading.meet(steps.compare, a, "==", b).all())


@_composes("__contains__")
def _contains(reading: Dispatch, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return bool(reading.meet(steps.compare, args[0], "==", args[1]).any())


@_composes("isin")
def _isin(reading: Dispatch, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    x, test = (torch.as_tensor(part) for part in args[:2])
    found = reading.meet(steps.compare, x.unsqueeze(-1), "==", test.reshape(-1)).any(-1)
    return ~found if kwargs.get("invert") else found


@_composes("unique", "_unique2", "unique_consecutive")
def _unique(reading: Dispatch, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Sorted, an entry is new when it is greater than the one before it."""
    names = ("sorted", "return_inverse", "return_counts", "dim")
    facts = {**dict(zip(names, args[1:])), **kwargs}
    x, consecutive = args[0], getattr(func, "__name__", "") == "unique_consecutive"
    if facts.get("dim") is not None and x.ndim > 1:
        raise reading.lost("torch.unique(dim=)")
    flat = x.reshape(-1)
    order = torch.arange(len(flat), device=x.device) if consecutive else ordered(reading, flat)
    values = flat[order]
    new = reading.meet(steps.compare, values[1:], "!=" if consecutive else ">", values[:-1])
    first = torch.cat([torch.ones_like(new[:1]) if len(new) else torch.ones(len(flat), dtype=torch.bool), new])
    number = first.long().cumsum(0) - 1
    found = [values[first]]
    if facts.get("return_inverse"):
        found.append(torch.zeros_like(number).scatter(0, order, number).reshape(x.shape))
    if facts.get("return_counts"):
        found.append(torch.bincount(number))
    return found[0] if len(found) == 1 else tuple(found)


def ordered(reading: Dispatch, x: Tensor, descending: bool = False) -> Tensor:
    """A stable argsort of a flat tensor."""
    facts: dict[str, Any] = {"descending": descending, "stable": True}
    operand = Operand.of(x)
    found: Tensor = reading.meet(
        steps.order, x, using="argsort", native=lambda: called("argsort", operand, (), facts), **facts
    )
    return found


@_composes("kthvalue", "median", "nanmedian")
def _kth(reading: Dispatch, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The k-th smallest of each row, and where it stands."""
    name = func.__name__
    names = ("k", "dim", "keepdim") if name == "kthvalue" else ("dim", "keepdim")
    facts = {**dict(zip(names, args[1:])), **kwargs}
    if name != "kthvalue" and facts.get("dim") is None:
        return NOT_A_STEP  # the value alone
    x, dim = args[0], facts.get("dim", -1)
    k = facts["k"] - 1 if name == "kthvalue" else (x.shape[dim] - 1) // 2
    rows = {"dim": dim, "stable": True}
    operand = Operand.of(x)
    order = reading.meet(steps.order, x, using="argsort", native=lambda: called("argsort", operand, (), rows), **rows)
    index = order.select(dim, k)
    keep = bool(facts.get("keepdim", False))
    return with_values(name, x, index.unsqueeze(dim) if keep else index, dim, keep)


@_composes("aminmax")
def _aminmax(reading: Dispatch, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return NOT_A_STEP


@_composes("div", "divide", "__floordiv__", "__rfloordiv__")
def _divided(reading: Dispatch, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Division that rounds."""
    name, mode = func.__name__, kwargs.get("rounding_mode")
    if "floordiv" not in name and mode is None:
        return NOT_A_STEP
    above, below = args[:2] if name != "__rfloordiv__" else (args[1], args[0])
    whole = above / below
    return reading.meet(steps.rounding, whole, using="trunc" if mode == "trunc" else "floor")


@_composes("histc")
def _histc(reading: Dispatch, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    facts = {**dict(zip(("bins", "min", "max"), args[1:])), **kwargs}
    bins, low, high = int(facts.get("bins", 100)), float(facts.get("min", 0)), float(facts.get("max", 0))
    if low == high:
        raise reading.lost("torch.histc without a range")
    x = args[0].reshape(-1)
    edges = torch.linspace(low, high, bins + 1, dtype=x.dtype, device=x.device)
    place = reading.meet(steps.binning, x, edges, using="bucketize", right=True)
    passed = (place >= 1) & (place <= bins)
    last = place == bins + 1
    top = reading.meet(steps.compare, x, "<=", high)
    inside = passed | (last & top)
    counts = torch.zeros(bins, dtype=torch.long, device=x.device)
    return counts.scatter_add(0, (place - 1).clamp(0, bins - 1), inside.long()).to(x.dtype)

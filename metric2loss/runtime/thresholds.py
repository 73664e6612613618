"""Differences of rounding and binning: one binary for every integer, or edge, that an element may have passed."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from metric2loss.rules.rounding import threshold
from metric2loss.runtime import settings
from metric2loss.runtime.comparing import compare
from metric2loss.runtime.dtypes import as_tensor
from metric2loss.runtime.failures import failure
from metric2loss.runtime.layouts import ThermometerLayout
from metric2loss.runtime.native import called
from metric2loss.runtime.ranking import passive
from metric2loss.runtime.recorded import Differences, Operand

_MOST = 50_000_000


def rounding(x: Any, *args: Any, using: str = "round", **kwargs: Any) -> Differences:
    """A thermometer over the integers met by the data (one more on either side when all are equal)."""
    operand = Operand.of(x)
    native = _tensor(called(using, operand, args, kwargs))
    if not operand.active:
        return passive(native, operand.library)
    if native.dtype == torch.bool:
        return compare(x, "!=", 0.0)
    scale, divisor = _scales(using, args, kwargs)
    integers = torch.round(native.detach().double() * scale).long()
    low, high = _range(integers)
    _affordable(operand.tensor.numel() * (high - low))
    c = operand.tensor if divisor == 1 else operand.tensor / divisor
    layout = ThermometerLayout("rounding", tuple(c.shape), low, high - low, scale, native.dtype, c.device)
    steps = [threshold(using, k) / scale for k in range(low + 1, high + 1)]
    values = c.reshape(-1, 1) - torch.tensor(steps, dtype=c.dtype, device=c.device)
    return Differences(layout, values.reshape(-1), layout.encoded(integers.to(c.device)), operand.library)


def _scales(using: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[float, Any]:
    """(10^decimals, divisor) of the user's arguments."""
    if using == "floor_divide":
        given = args[0] if args else next(iter(kwargs.values()))
        return 1.0, _tensor(given).detach()
    decimals = kwargs.get("decimals", args[0] if args and using in ("round", "around") else 0)
    return float(10.0 ** int(decimals or 0)), 1


def _range(integers: Tensor) -> tuple[int, int]:
    low, high = (int(integers.min()), int(integers.max())) if integers.numel() else (0, 0)
    low, high = settings.current().range_of_next(low, high)
    return (low, high) if low < high else (low - 1, high + 1)


def _affordable(binaries: int) -> None:
    if binaries > _MOST:
        raise failure(
            "M2L401",
            f"rounding needs {binaries:,} binary variables",
            "there is one for every element and every integer between the smallest and the largest result",
            "scale or clip the scores before they are rounded",
        )


def binning(x: Any, edges: Any, using: str = "digitize", **kwargs: Any) -> Differences:
    """One binary for every element and edge; x is the value, whichever argument of the user's call it is."""
    operand = Operand.of(x)
    edges_ = Operand.of(edges)
    home: Any = np if operand.library == "numpy" else torch
    operands = (edges_.exact, operand.exact) if using == "searchsorted" else (operand.exact, edges_.exact)
    native = _tensor(getattr(home, using)(*operands, **kwargs))
    if not (operand.active or edges_.active):
        return passive(native, operand.library)
    device = (operand if operand.active else edges_).tensor.device
    places = edges_.tensor.to(device)  # scores among scores: the edges have a gradient too
    if places.ndim != 1:
        raise failure(
            "M2L503", "binning needs one list of edges", "the edges have more than one axis", "bin row by row"
        )
    levels = len(places)
    shape = tuple(operand.tensor.shape)
    layout = ThermometerLayout("binning", shape, 0, levels, 1.0, native.dtype, device)
    x_ = operand.tensor.to(device)
    values = (x_ if x_.is_floating_point() else x_.double()).reshape(-1, 1) - places
    if levels > 1 and bool(places[0] > places[-1]):
        values = -values  # falling edges are passed downwards
    return Differences(layout, values.reshape(-1), layout.encoded(native.to(values.device)), operand.library)


def _tensor(x: Any) -> Tensor:
    return x if isinstance(x, Tensor) else as_tensor(x)

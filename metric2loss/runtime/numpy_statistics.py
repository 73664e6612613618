"""NumPy's statistics on tensors: extremes with conditions, quantiles, what leaves nan out, norms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from metric2loss.runtime import numpy_functions  # noqa: F401 (these forms take the place of some of its)
from metric2loss.runtime.batched import each, is_batched
from metric2loss.runtime.numpy_forms import by_torch_numpy, numpy_name, on_tensor, register

Function = Callable[..., Any]


def _extreme(name: str, pair: Function, filler: float) -> None:
    """max and min, with `initial=` and `where=` too."""
    plain = by_torch_numpy(name)

    def call(x: Any, axis: Any = None, out: Any = None, keepdims: Any = False, **kwargs: Any) -> Any:
        kwargs = {key: value for key, value in kwargs.items() if value is not np._NoValue}
        kept = {} if keepdims in (False, np._NoValue) else {"keepdims": keepdims}
        if kwargs.get("where", True) is not True:
            x = torch.where(on_tensor(kwargs["where"]).bool(), on_tensor(x), filler)
        found = plain(x, axis=axis, **kept)
        return pair(found, on_tensor(kwargs["initial"]).to(found.dtype)) if "initial" in kwargs else found

    for alias in (name, f"a{name}"):
        register(alias, call)


_extreme("max", torch.maximum, -float("inf"))
_extreme("min", torch.minimum, float("inf"))


@numpy_name("nanvar")
def nanvar(x: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: int = 0, keepdims: Any = False) -> Any:
    x = on_tensor(x).double()
    known = ~torch.isnan(x)
    axes = tuple(range(x.ndim)) if axis is None else axis
    kept = torch.where(known, x, torch.zeros_like(x))
    amount = known.sum(axes, keepdim=True)
    apart = torch.where(known, x - kept.sum(axes, keepdim=True) / amount, torch.zeros_like(x))
    found = (apart**2).sum(axes, keepdim=True) / (amount - ddof)
    return found if keepdims is True else found.reshape(()) if axis is None else found.squeeze(axes)


@numpy_name("nanstd")
def nanstd(x: Any, *args: Any, **kwargs: Any) -> Any:
    return nanvar(x, *args, **kwargs).sqrt()


@numpy_name("norm")
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    x = on_tensor(x)
    return torch.linalg.norm(x if x.dtype.is_floating_point else x.double(), ord, axis, bool(keepdims is True))


@numpy_name("ediff1d")
def ediff1d(x: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    parts = [part for part in (to_begin, torch.diff(on_tensor(x).reshape(-1)), to_end) if part is not None]
    return torch.cat([on_tensor(part).reshape(-1) for part in parts])


# the share of the upper of two neighbours, from where a quantile falls between them
_BETWEEN: dict[str, Function] = {
    "linear": lambda part: part,
    "lower": torch.zeros_like,
    "higher": torch.ones_like,
    "midpoint": lambda part: torch.where(part > 0, 0.5, 0.0),
}


@numpy_name("quantile")
def quantile(x: Any, q: Any, axis: int | None = None, **kwargs: Any) -> Any:
    method = kwargs.get("method", "linear")
    if method not in _BETWEEN or kwargs.get("keepdims") is True or kwargs.get("weights") is not None:
        raise NotImplementedError("quantile by another method")
    x = on_tensor(x) if axis is not None else on_tensor(x).reshape(-1)
    x = torch.sort(x if x.dtype.is_floating_point else x.double(), dim=-1 if axis is None else axis)[0]
    x = x.movedim(-1 if axis is None else axis, -1)
    place = on_tensor(q).double() * (x.shape[-1] - 1)
    below = place.floor().long()
    above = (below + 1).clamp(max=x.shape[-1] - 1)
    part = _BETWEEN[method](place - below).to(x.dtype)
    low, high = x[..., below], x[..., above]
    found = torch.where(part >= 0.5, high - (high - low) * (1 - part), low + (high - low) * part)  # as NumPy does
    unknown = x.isnan().any(-1)
    found = torch.where(unknown.unsqueeze(-1) if place.ndim else unknown, torch.nan, found)
    return found.movedim(-1, 0) if place.ndim and found.ndim > 1 else found


@numpy_name("percentile")
def percentile(x: Any, q: Any, axis: int | None = None, **kwargs: Any) -> Any:
    return quantile(x, on_tensor(q).double() / 100, axis, **kwargs)


@numpy_name("median")
def median(x: Any, axis: int | None = None, **kwargs: Any) -> Any:
    if kwargs.get("keepdims") is True:
        raise NotImplementedError("median with keepdims")
    x = on_tensor(x) if axis is not None else on_tensor(x).reshape(-1)
    x = torch.sort(x if x.dtype.is_floating_point else x.double(), dim=-1 if axis is None else axis)[0]
    x = x.movedim(-1 if axis is None else axis, -1)
    middle = x.shape[-1] // 2
    found = x[..., middle] if x.shape[-1] % 2 else (x[..., middle - 1] + x[..., middle]) / 2
    return torch.where(x.isnan().any(-1), torch.nan, found)


def _of_known(name: str, known: Function) -> Function:
    """The function of what is no nan, where nothing is."""

    def call(x: Any, *args: Any, **kwargs: Any) -> Any:
        x = on_tensor(x)
        if bool(torch.isnan(each(x) if is_batched(x) else x).any()):
            raise NotImplementedError(f"{name} with nan in it")
        return known(x, *args, **kwargs)

    return call


register("nanquantile", _of_known("nanquantile", quantile))
register("nanpercentile", _of_known("nanpercentile", percentile))
register("nanmedian", _of_known("nanmedian", median))

"""Distributions of scipy.stats called with scores: SciPy computes the values, torch's formula of the same function the gradient."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from metric2loss.runtime import indexing
from metric2loss.runtime.arrays import Array, wrapped
from metric2loss.runtime.dispatch.reading import any_active, current
from metric2loss.runtime.numpy_forms import on_tensor

_Formula = Callable[[Tensor], Tensor]

# of a standardised value: distribution functions and their logarithms, densities, quantiles
_CUMULATED: Mapping[str, Mapping[str, _Formula]] = {
    "norm": {
        "cdf": torch.special.ndtr,
        "sf": lambda z: torch.special.ndtr(-z),
        "logcdf": torch.special.log_ndtr,
        "logsf": lambda z: torch.special.log_ndtr(-z),
    },
    "logistic": {
        "cdf": torch.sigmoid,
        "sf": lambda z: torch.sigmoid(-z),
        "logcdf": torch.nn.functional.logsigmoid,
        "logsf": lambda z: torch.nn.functional.logsigmoid(-z),
    },
}
_LOG_DENSITY: Mapping[str, _Formula] = {
    "norm": lambda z: -z * z / 2 - math.log(2 * math.pi) / 2,
    "logistic": lambda z: -z.abs() - 2 * torch.log1p(torch.exp(-z.abs())),
}
_QUANTILES: Mapping[str, Mapping[str, _Formula]] = {
    "norm": {"ppf": torch.special.ndtri, "isf": lambda q: -torch.special.ndtri(q)},
    "logistic": {"ppf": torch.logit, "isf": lambda q: -torch.logit(q)},
}


def known(value: Any) -> bool:
    """Whether a value is a distribution whose functions have a formula here."""
    kind = type(value)
    return kind.__module__.startswith("scipy.stats.") and getattr(value, "name", "") in _CUMULATED and callable(value)


class Distribution:
    """Stands for a distribution of scipy.stats; what is not called with scores is its own."""

    def __init__(self, real: Any, given: tuple[Any, ...] = (), named: Mapping[str, Any] | None = None) -> None:
        self.real, self.given, self.named = real, given, dict(named or {})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The frozen distribution."""
        return Distribution(self.real, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        formula = _formula(self.real.name, name)
        real = getattr(self.real(*self.given, **self.named) if self._frozen() and formula is None else self.real, name)
        if formula is None:
            return real

        def call(x: Any, *args: Any, **kwargs: Any) -> Any:
            args, kwargs = (*args, *self.given), {**self.named, **kwargs}
            if current() is None or not any_active(x, args, kwargs):
                return real(x, *args, **kwargs)
            return _computed(real, formula, x, args, kwargs)

        return call

    def _frozen(self) -> bool:
        return bool(self.given or self.named)


def _formula(distribution: str, name: str) -> Callable[[Tensor, Tensor, Tensor], Tensor] | None:
    """The function of a value, a location and a scale."""
    if name in _CUMULATED[distribution]:
        return lambda x, loc, scale: _CUMULATED[distribution][name]((x - loc) / scale)
    if name in _QUANTILES[distribution]:
        return lambda q, loc, scale: loc + scale * _QUANTILES[distribution][name](q)
    if name in ("pdf", "logpdf"):

        def density(x: Tensor, loc: Tensor, scale: Tensor) -> Tensor:
            found = _LOG_DENSITY[distribution]((x - loc) / scale) - scale.log()
            return found if name == "logpdf" else found.exp()

        return density
    return None


def _computed(real: Any, formula: Any, x: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    parts = {"loc": 0.0, "scale": 1.0, **dict(zip(("loc", "scale"), args)), **kwargs}
    found = [part for part in indexing.deep((x, list(parts.values()))) if isinstance(part, Array)]
    exact = None
    if not any(part.batched for part in found):
        exact = real(_plain(x), **{name: _plain(part) for name, part in parts.items()})
    return wrapped(exact, formula(*(_tensor(part) for part in (x, parts["loc"], parts["scale"]))))


def _tensor(part: Any) -> Tensor:
    return (part.tensor if isinstance(part, Array) else on_tensor(part)).double()


def _plain(part: Any) -> Any:
    return part.exact if isinstance(part, Array) else part

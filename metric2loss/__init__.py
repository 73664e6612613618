"""metric2loss turns the function that computes your evaluation metric into a loss that trains it.

Importing the package is light: `surrogate`, `compile_metric` and `SurrogateLoss` are loaded when first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metric2loss.decorator import compile_metric, surrogate
    from metric2loss.diagnostics import MetricError, MetricWarning
    from metric2loss.runtime import SurrogateLoss
    from metric2loss.runtime.order_invariant import order_invariant

__version__ = "0.1.0"
__all__ = [
    "MetricError",
    "MetricWarning",
    "SurrogateLoss",
    "__version__",
    "compile_metric",
    "order_invariant",
    "surrogate",
]

_HOMES = {
    "MetricError": "metric2loss.diagnostics",
    "MetricWarning": "metric2loss.diagnostics",
    "SurrogateLoss": "metric2loss.runtime",
    "compile_metric": "metric2loss.decorator",
    "order_invariant": "metric2loss.runtime.order_invariant",
    "surrogate": "metric2loss.decorator",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})

"""From the name of an interpolant to the interpolant: how exact metric values become a value and a gradient."""

from __future__ import annotations

import inspect

from metric2loss.runtime.factored import Problem
from metric2loss.runtime.interpolants.direct import Direct
from metric2loss.runtime.interpolants.idw import Idw
from metric2loss.runtime.interpolants.integrated import Integrated
from metric2loss.runtime.interpolants.multilinear import Multilinear
from metric2loss.runtime.interpolants.protocol import Interpolant
from metric2loss.runtime.interpolants.pull import Pull
from metric2loss.runtime.interpolants.relational import Relational

__all__ = [
    "NAMES",
    "Direct",
    "Idw",
    "Integrated",
    "Interpolant",
    "Multilinear",
    "Problem",
    "Pull",
    "Relational",
    "named",
]

_KINDS = (Integrated, Idw, Pull, Multilinear, Direct, Relational)
NAMES = tuple(kind.name for kind in _KINDS)
_SHARED = ("anchors", "power")  # of every loss, whether its interpolant has use for them or not


def named(name: str, **options: float | str) -> Interpolant:
    """The interpolant of that name with its options; `anchors` and `power` are ignored where they mean nothing."""
    for kind in _KINDS:
        if kind.name == name:
            known = inspect.signature(kind).parameters
            unknown = [key for key in options if key not in known and key not in _SHARED]
            if unknown:
                raise TypeError(
                    f"interpolant {name!r} has no option {unknown[0]!r}; it has {', '.join(known) or 'none'}"
                )
            return kind(**{key: value for key, value in options.items() if key in known})  # type: ignore[arg-type]
    raise ValueError(f"no interpolant is named {name!r}; there are {', '.join(NAMES)}")

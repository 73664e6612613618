"""From the name of an interpolant to the interpolant: how exact metric values become a value and a gradient."""

from __future__ import annotations

from dataclasses import fields

from metric2loss.runtime.factored import Problem
from metric2loss.runtime.interpolants.idw import Idw
from metric2loss.runtime.interpolants.integrated import Integrated
from metric2loss.runtime.interpolants.protocol import Interpolant
from metric2loss.runtime.interpolants.pull import Pull

__all__ = ["NAMES", "Idw", "Integrated", "Interpolant", "Problem", "Pull", "named"]

_KINDS = (Integrated, Idw, Pull)
NAMES = tuple(kind.name for kind in _KINDS)


def named(name: str, **options: float) -> Interpolant:
    """The interpolant of that name; of the options (anchors, power, budget) it takes those it knows."""
    for kind in _KINDS:
        if kind.name == name:
            known = {field.name for field in fields(kind) if field.init}
            return kind(**{key: value for key, value in options.items() if key in known})  # type: ignore[arg-type]
    raise ValueError(f"no interpolant is named {name!r}; there are {', '.join(NAMES)}")

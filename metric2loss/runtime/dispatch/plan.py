"""What has been found out about a metric that is run as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from metric2loss.runtime.dispatch.places import Place


@dataclass(frozen=True)
class Plan:
    """frozen: steps that only guard.  opaque: functions met as one order-invariant call, by their code."""

    frozen: frozenset[Place] = frozenset()
    opaque: Mapping[CodeType, Callable[[Any], Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

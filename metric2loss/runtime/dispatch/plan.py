"""What has been found out about a metric that is run as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from metric2loss.runtime.dispatch.places import Place


@dataclass(frozen=True)
class Plan:
    """frozen: steps that only guard.  opaque: functions met as one order-invariant call, by their code.

    whole: the metric itself is such a call, its scores ranked in each row ("rows") or together ("joint").
    buffers: arrays that NumPy makes (`np.zeros`) can have scores written into them.  seconds: that one record and one replay
    took on the batch it was found on.
    """

    frozen: frozenset[Place] = frozenset()
    opaque: Mapping[CodeType, Callable[[Any], Any]] = field(default_factory=dict)
    whole: str = ""
    buffers: bool = False
    seconds: float | None = field(default=None, compare=False)

    @property
    def route(self) -> str:
        """The route in words."""
        return f"order invariance of the whole metric, {self.whole}" if self.whole else "dispatch"

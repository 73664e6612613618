"""What a loss has learned about its metric and f must heed: prunings that failed, ranges that integers were met in."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

ENCODINGS = ("pairs", "margin", "margin-lse")
_LEVELS = 128
Sites = Sequence[tuple[Any, Any]]


@dataclass
class Settings:
    """prune: use told_apart_by and classes.  suppose: use supposed_apart_by, too.

    encoding: the binaries of choose steps, "pairs" of candidates, or "margin" or "margin-lse" of classes.
    ranges: least range of the n-th rounding step of a run.
    """

    prune: bool = True
    suppose: bool = True
    guessed: bool = False  # whether the last run of f used a supposed pruning
    encoding: str = "pairs"
    ranges: dict[int, tuple[int, int]] = field(default_factory=dict)
    met: int = 0
    scores: Sequence[Tensor] = ()  # of the run
    temperature: float = 1.0  # of the loss
    cuts: bool = False  # whether scores were picked by their place in an order

    @property
    def unit(self) -> bool:
        """Whether all scores of the run lie in [0, 1]."""
        ranges = [x.detach().aminmax() for x in self.scores if x.numel()]
        return all(bool(low >= 0) and bool(high <= 1) for low, high in ranges)

    def range_of_next(self, low: int, high: int) -> tuple[int, int]:
        """The range of the rounding step that runs now, not smaller than the one met before."""
        known = self.ranges.get(self.met, (low, high))
        self.met += 1
        return min(low, known[0]), max(high, known[1])

    def widen(self, here: Sites, there: Sites) -> None:
        """Rounding steps met larger integers at other scores: the next run provides for them, if that is affordable."""
        pairs = [(a, b) for (_, a), (_, b) in zip(here, there) if a.kind == b.kind == "rounding"]
        for number, (a, b) in enumerate(pairs):
            low, high = min(a.low, b.low), max(a.low + a.levels, b.low + b.levels)
            if a.shape == b.shape and high - low <= _LEVELS:
                self.ranges[number] = (low, high)


_settings: ContextVar[Settings | None] = ContextVar("metric2loss_settings", default=None)


def current() -> Settings:
    """The settings in force; outside of a loss, the defaults."""
    found = _settings.get()
    return Settings() if found is None else found


class Heeding:
    """Inside, f runs by these settings on these scores."""

    def __init__(self, settings: Settings, scores: Sequence[Tensor]) -> None:
        self.settings, self.scores = settings, scores

    def __enter__(self) -> None:
        self.settings.met = 0
        self.settings.scores = self.scores
        self.settings.guessed = False
        self._token = _settings.set(self.settings)

    def __exit__(self, *error: object) -> None:
        _settings.reset(self._token)
        self.settings.scores = ()

"""Finds the configuration with the best metric value: the one that training pulls towards.

A search tries every proposal and improves the best one greedily; the way that won is remembered, and a later batch
costs one evaluation of g. Batches 1, 2, 4, 8 … search anew, for one batch can be mute (no positive in it), and so does
one after a configuration was seen that beats the best. From the third search on, only ways are tried that were as good as
the best in one before, unless the best was beaten.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from metric2loss.runtime import effort
from metric2loss.runtime.failures import failure
from metric2loss.runtime.proposals import (
    IDEAL,
    Batch,
    Proposal,
    exchanged,
    free,
    improved,
    possible,
    proposals,
    settled,
    winners,
)
from metric2loss.runtime.side import Side

_EQUAL = 1e-9
_CLEAR = 1e-6  # of metric values that differ by more than rounding
_WIDE = 2  # searches that try every way
_TOGETHER = 2**22  # binaries in all configurations that are stacked to be evaluated
_PATIENCE = 16  # a way that keeps being beaten is not looked for at every batch
_EXCHANGES = 24  # of scores, where no guess is any good
_CALLS = 400_000  # of functions, that running f at exchanged scores may take
_DEAR = 20_000  # calls: a run of f that is not repeated at every batch
_GREEDY, _CURRENT = "greedy improvement", "the current configuration"


@dataclass(frozen=True)
class Found:
    """The best configuration of a batch, its metric value, the direction (+1 maximise), and how it was come by."""

    bits: Tensor | Callable[[], Tensor]
    value: float
    sign: int
    how: str
    winners: Side | None = None  # what comes before all else in each row, where that says it all
    rows: Tensor | None = None  # that the value is the mean of, where they are known


@dataclass(frozen=True)
class _Tried:
    proposal: Proposal
    bits: Tensor
    value: float


@dataclass
class BestConfiguration:
    """Remembers, for one loss, the direction and the way that led to the best configuration."""

    sign: int | None = None  # +1 maximise, -1 minimise, None: decided at the first batch
    how: str = ""
    _good: set[str] = field(default_factory=set, repr=False)  # ways that were as good as the best once
    _searches: int = field(default=0, repr=False)  # that told ways apart
    _outdone: bool = field(default=False, repr=False)
    _surprises: int = field(default=0, repr=False)
    _batches: int = field(default=0, repr=False)
    _searched: bool = field(default=False, repr=False)  # every way was tried at the last batch
    _told: bool = field(default=False, repr=False)
    _calls: int = field(default=0, repr=False)  # of one run of f, where that was counted

    def __call__(self, batch: Batch) -> Found:
        """The best configuration known for this batch."""
        if not (batch.leaves and batch.leaves[-1].stop):
            return Found(batch.bits, batch.metric, self.sign or 1, self.how or "no binaries")
        self._batches += 1
        self._searched = False
        if self._batches & (self._batches - 1) == 0:
            wide = self._searches < _WIDE or self._outdone or self.sign is None
            return self._or_current(batch, _in_short(batch, self._search(batch, wide)))
        again = self._again(batch)
        if again is None and self._calls > _DEAR and self.sign is not None:
            return Found(settled(batch, batch.bits), batch.metric, self.sign, _CURRENT)
        if again is None or (self._surprises < _PATIENCE and (self._outdone or self._beaten(batch, again))):
            self._surprises += 1
            again = _in_short(batch, self._search(batch, True))
        return self._or_current(batch, again)

    def seen(self, batch: Batch, ahead: float) -> bool:
        """By how much some configuration met in the batch beat the best one: if it did, the next batch searches again.

        True, once, where a search of every way had just missed it; not of configurations that perhaps no scores produce.
        """
        self._outdone = self._outdone or ahead > _EQUAL
        missed = not self._told and self._searched and ahead > _CLEAR and free(batch)
        if missed:  # what is rounded, a clip may never let through
            missed = all(leaf.layout.kind != "rounding" for leaf in batch.leaves)
        self._told = self._told or missed
        return missed

    def _again(self, batch: Batch) -> Found | None:
        """What the remembered way gives."""
        if not self.how or self.sign is None:
            return None
        at = getattr(batch, "whole_at", None)  # of batches that can be asked at outcomes
        side = winners(batch, self.how) if at is not None else None
        if at is not None and side is not None:
            layout = batch.leaves[0].layout
            value, rows = at(layout.with_ahead(side))
            if not math.isfinite(value):
                return None
            return Found(partial(_ranked, layout, side), value, self.sign, self.how, side, rows)
        for proposal in proposals(batch):
            if proposal.name == self.how:
                bits = proposal.bits()
                if bits is None:
                    return None
                bits = settled(batch, possible(batch, bits))
                value = float(batch.values_of(bits.unsqueeze(0))[0])
                return Found(bits, value, self.sign, self.how) if math.isfinite(value) else None
        return None

    def _search(self, batch: Batch, wide: bool) -> Found:
        self._outdone, self._searched = False, wide
        tried = _tried(batch, None if wide else self._good)
        if not tried:  # undefined whatever the scores: no positive in the batch
            return Found(batch.bits, math.nan, self.sign or 1, self.how)
        sign = self.sign or _direction(tried)
        start = _chosen(batch, tried, sign or 1, self.how)
        if start.proposal.name == _CURRENT:
            start, self._calls = _elsewhere(batch, start, sign or 1, self._calls)
        sign, self.sign = sign or 1, sign or None
        self._remember(tried, start, sign)
        greedy = _trusts_flips(batch, tried) if wide else self.how.endswith(_GREEDY)
        better = improved(batch, start.bits, sign) if greedy else start.bits
        how = start.proposal.name
        if better is not start.bits:
            better, how = settled(batch, better), f"{how}, {_GREEDY}"
        value = float(batch.values_of(better.unsqueeze(0))[0])
        self.how = how
        return Found(better, value, sign, how)

    def _remember(self, tried: Sequence[_Tried], start: _Tried, sign: int) -> None:
        """Which ways were as good as the chosen one; of dear ones only if there is no other."""
        good = [entry.proposal for entry in tried if sign * (entry.value - start.value) >= -_EQUAL]
        if len(good) == len(tried):
            return  # a mute batch
        self._searches += 1
        self._good.update(way.name for way in good if not way.dear or all(other.dear for other in good))

    def _or_current(self, batch: Batch, found: Found) -> Found:
        if self._beaten(batch, found):
            return Found(settled(batch, batch.bits), batch.metric, found.sign, _CURRENT)
        return found

    def _beaten(self, batch: Batch, found: Found) -> bool:
        return found.sign * (batch.metric - found.value) > _EQUAL


def _ranked(layout: Any, side: Side) -> Tensor:
    found: Tensor = layout.ranked((~side.items).long())
    return found


def _in_short(batch: Batch, found: Found) -> Found:
    side = winners(batch, found.how) if found.how and math.isfinite(found.value) else None
    return found if side is None else replace(found, winners=side)


def _tried(batch: Batch, among: Container[str] | None = None) -> list[_Tried]:
    """Every proposal (of those names) that gives a configuration, with g there."""
    ways = [proposal for proposal in proposals(batch) if among is None or proposal.name in among]
    known = [(proposal, bits) for proposal in ways if (bits := proposal.bits()) is not None]
    current = Proposal(_CURRENT, lambda: batch.bits, recorded=True)
    known = [(proposal, settled(batch, possible(batch, bits))) for proposal, bits in known]
    values = _values(batch, [bits for _, bits in known])
    tried = [_Tried(proposal, bits, value) for (proposal, bits), value in zip(known, values, strict=True)]
    tried = [entry for entry in [*tried, _Tried(current, batch.bits, batch.metric)] if math.isfinite(entry.value)]
    return tried


def _elsewhere(batch: Batch, start: _Tried, sign: int, calls: int) -> tuple[_Tried, int]:
    """Where no guess beats the scores at hand: the best of the same scores in other places, and what a run of f costs."""
    for number, proposal in enumerate(exchanged(batch, _EXCHANGES)):
        if number and number * calls > _CALLS:
            break
        if not calls:
            found: list[Tensor | None] = []
            calls = effort.calls(lambda: found.append(proposal.bits()))  # noqa: B023 (called at once)
            bits = found[0]
        else:
            bits = proposal.bits()
        if bits is None:
            continue
        value = float(batch.values_of(settled(batch, bits).unsqueeze(0))[0])
        if math.isfinite(value) and sign * (value - start.value) > _EQUAL:
            start = _Tried(proposal, settled(batch, bits), value)
    return start, calls


def _values(batch: Batch, known: list[Tensor]) -> list[float]:
    """g at each, once where several are the same; all at once where that takes little memory."""
    distinct: list[Tensor] = []
    places = []
    for bits in known:
        same = (place for place, other in enumerate(distinct) if torch.equal(bits, other))
        places.append(next(same, len(distinct)))
        distinct.extend([bits] if places[-1] == len(distinct) else [])
    at_once = max(len(distinct), 1) if len(distinct) * len(batch.bits) <= _TOGETHER else 1
    parts = (torch.stack(distinct[start : start + at_once]) for start in range(0, len(distinct), at_once))
    values = [value for part in parts for value in batch.values_of(part).tolist()]
    return [values[place] for place in places]


def _direction(tried: Sequence[_Tried]) -> int:
    """Scores equal to the targets beat their negation, whichever way the metric moves then; 0 in a mute batch."""
    values = {entry.proposal.name: entry.value for entry in tried}
    pairs = [(entry.value, values[entry.proposal.opposite]) for entry in tried if entry.proposal.opposite in values]
    if not pairs:
        raise failure(
            "M2L105",
            "cannot tell whether a larger or a smaller value of this metric is better",
            "no target could be taken for the scores, so no configuration is known to be right",
            'give direction="maximize" or direction="minimize"',
        )
    apart = max((right - wrong for right, wrong in pairs), key=abs)
    return 0 if abs(apart) <= _EQUAL else 1 if apart > 0 else -1


def _trusts_flips(batch: Batch, tried: Sequence[_Tried]) -> bool:
    return free(batch) or not any(entry.proposal.recorded for entry in tried if entry.proposal.name != _CURRENT)


def _chosen(batch: Batch, tried: Sequence[_Tried], sign: int, before: str) -> _Tried:
    """The best value; of equal ones the way that won before, or one from scores.

    One that perhaps no scores produce (an AUC of 1.5) counts only where none from scores is known to be good.
    """
    recorded = [entry for entry in tried if entry.proposal.recorded]
    surest = max(recorded, key=lambda entry: sign * entry.value, default=None)
    if surest is not None and surest.proposal.name != _CURRENT and not _trusts_flips(batch, tried):
        tried = recorded
    top = max(sign * entry.value for entry in tried)
    equal = [entry for entry in tried if sign * entry.value >= top - _EQUAL]
    known = [entry for entry in equal if entry.proposal.name == before.removesuffix(f", {_GREEDY}")]
    first = next(iter([*known, *(entry for entry in equal if entry.proposal.recorded)]), equal[0])
    # the same configuration without running f at other scores, or without looking at single binaries
    same = sorted((entry for entry in equal if _cheaper(entry, first)), key=lambda entry: entry.proposal.dear)
    short = (entry for entry in same if winners(batch, entry.proposal.name) is not None)
    return next(short, next(iter(same), first))


def _cheaper(entry: _Tried, than: _Tried) -> bool:
    given = than.proposal.name in (IDEAL, _CURRENT)
    return not given and not entry.proposal.recorded and torch.equal(entry.bits, than.bits)

"""Which steps only guard: those whose outcome ends in an `if` over all scores, and those whose turning changes nothing.

Both criteria are needed: a check of the range (`if not all(0 <= p <= 1): p = sigmoid(p)`) changes the value of a mixed metric when
its step is turned, and a check written over several lines has no `if` to be read; but turning it raises or does nothing.
"""

from __future__ import annotations

import ast
import linecache
import math
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import torch
from torch import Tensor

from metric2loss.runtime import effort
from metric2loss.runtime.dispatch.places import Place, where
from metric2loss.runtime.selfcheck import Subject

_CALLS = 2_000_000  # of functions, that looking for guards may take
_TURNED = 4  # parts of a step, and single binaries, that are turned before it is said never to show
_SUMMARIES = frozenset(
    ("all", "any", "min", "max", "amin", "amax", "allclose", "isclose", "equal", "array_equal", "sum")
)


def guards(loss: Any, configuration: Any, arguments: Mapping[str, Any]) -> frozenset[Place]:
    """The places of a run whose steps need no binaries."""
    leaves = [leaf for leaf in configuration.leaves() if leaf.stop > leaf.start]
    places = list(dict.fromkeys(place_of(leaf.key) for leaf in leaves))
    found = {place for place in places if checks(place)}
    if len(places) - len(found) < 2:  # a metric has at least one step
        return frozenset(found if len(found) < len(places) else ())
    turner = _Turner(loss, configuration, arguments)
    spans = {place: [(leaf.start, leaf.stop) for leaf in leaves if place_of(leaf.key) == place] for place in places}
    silent = [place for place in places if place not in found and not turner.shows_at_once(spans[place])]
    elsewhere = _elsewhere(loss, configuration, arguments) if silent else []
    if len(found) + len(silent) < len(places) and turner.never_shows(
        [span for place in silent for span in spans[place]], elsewhere
    ):
        return frozenset(found.union(silent))
    for place in silent:
        if len(found) < len(places) - 1 and turner.never_shows(spans[place], elsewhere):
            found.add(place)
    return frozenset(found)


def _elsewhere(loss: Any, configuration: Any, arguments: Mapping[str, Any]) -> list[Tensor]:
    """The binaries of the same run at other scores: turned at random, an order is hardly ever one that scores give."""
    found = []
    subject = Subject(loss, dict(arguments))
    for number in range(_TURNED):
        there = _recorded(loss, subject.moved("bent" if number % 2 else "permuted"))
        if there is not None and [key for key, _ in there.sites] == [key for key, _ in configuration.sites]:
            flat = torch.as_tensor(there.flat)
            if len(flat) == len(configuration.flat):
                found.append(flat)
    return found


def _recorded(loss: Any, arguments: Mapping[str, Any]) -> Any:
    try:
        return loss.record(**arguments)
    except Exception:  # noqa: BLE001 - the user's own checks may refuse other scores
        return None


def place_of(key: tuple[Any, ...]) -> Place:
    """The place in a tape's key."""
    return key[0], key[1]


class _Turner:
    """Evaluates the metric with binaries of one place turned."""

    def __init__(self, loss: Any, configuration: Any, arguments: Mapping[str, Any]) -> None:
        self._values = loss.values_at(configuration, arguments)
        self._bits = torch.as_tensor(configuration.flat)
        self._draw = torch.Generator().manual_seed(0)
        self._base = [self._bits, torch.rand(len(self._bits), generator=self._draw) < 0.5]
        self._known = [self._values(bits) for bits in self._base]
        self._left = _CALLS // max(1, effort.calls(lambda: self._values(self._bits)))

    def shows_at_once(self, spans: list[tuple[int, int]]) -> bool:
        """Whether turning all binaries of the place changes the value."""
        there = self._values(self._bits ^ self._inside(spans))
        return not math.isnan(there) and there != self._known[0] and not math.isnan(self._known[0])

    def _inside(self, spans: list[tuple[int, int]]) -> Tensor:
        inside = torch.zeros_like(self._bits)
        for start, stop in spans:
            inside[start:stop] = True
        return inside

    def never_shows(self, spans: list[tuple[int, int]], elsewhere: list[Tensor]) -> bool:
        """Whether the value never changes; raising is no change, for no scores lead there."""
        inside = self._inside(spans)
        for bits in elsewhere:
            for base, value in zip(self._base, self._known, strict=True):
                there = self._values(torch.where(inside, bits, base))
                if not math.isnan(value) and not math.isnan(there) and there != value:
                    return False
        for base, value in zip(self._base, self._known, strict=True):
            if math.isnan(value):
                continue
            tried = {bytes(len(inside))}
            for chosen in self._subsets(inside):
                if (named := chosen.numpy().tobytes()) in tried:
                    continue
                tried.add(named)
                self._left -= 1
                if self._left < 0:
                    return False  # too dear to be sure
                there = self._values(base ^ chosen)
                if not math.isnan(there) and there != value:  # infinite: no user's check, but a run that made no sense
                    return False
        return True

    def _subsets(self, inside: Tensor) -> Iterator[Tensor]:
        yield inside
        places = inside.nonzero().flatten()
        for share in torch.linspace(0.05, 0.5, _TURNED).tolist():
            yield inside & (torch.rand(len(inside), generator=self._draw) < share)
        for number in torch.randperm(len(places), generator=self._draw)[:_TURNED].tolist():
            one = torch.zeros_like(inside)
            one[places[number]] = True
            yield one


@cache
def checks(place: Place) -> bool:
    """Whether the step stands in the test of an `if` or `assert` that sums all scores up in one truth value."""
    path, line = where(place)
    if not line:
        return False
    for node in ast.walk(_tree(path)):
        if isinstance(node, (ast.If, ast.Assert, ast.IfExp)) and _covers(node.test, line) and _sums_up(node.test):
            return True
    return False


@cache
def _tree(path: str) -> ast.Module:
    try:
        return ast.parse("".join(linecache.getlines(path)))
    except SyntaxError:
        return ast.Module([], [])


def _covers(node: ast.expr, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)


def _sums_up(test: ast.expr) -> bool:
    names = {
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for node in ast.walk(test)
        if isinstance(node, ast.Call)
    }
    return bool(names & (_SUMMARIES - {"sum"}))

"""One loss beside its metric on one batch, how often each check may ask it, and the same batch at other scores."""

from __future__ import annotations

import copy
import inspect
import math
import time
import traceback
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metric2loss.diagnostics import Span
from metric2loss.runtime import forms
from metric2loss.runtime.evaluate import number
from metric2loss.runtime.problem import Configuration, Problem
from metric2loss.runtime.selfcheck.thresholds import thresholds

Arguments = Mapping[str, Any]
_OWN = str(Path(__file__).resolve().parents[2])


@dataclass(frozen=True)
class Amounts:
    """moves: other scores that are tried.  configurations: random ones.  paths: ways between two sets of scores."""

    moves: int = 30
    configurations: int = 16
    paths: int = 2

    @property
    def tries(self) -> int:
        """Runs of the metric or the loss, roughly."""
        return 3 * self.moves + 2 * self.configurations + 60 * self.paths


LEAST = Amounts(4, 4, 0)  # however dear it is


@dataclass
class Subject:
    """What the checks look at; `metric` None: the loss's own values stand in for the user's."""

    loss: Any
    arguments: dict[str, Any]
    metric: Callable[..., Any] | None = None
    seed: int = 0
    amounts: Amounts = field(default_factory=Amounts)
    known: dict[str, Any] = field(default_factory=dict)  # of this loss on this batch, for all checks
    thorough: bool = True  # whether time does not matter

    def __post_init__(self) -> None:
        self.draw = torch.Generator().manual_seed(self.seed)

    def fresh(self) -> Subject:
        """The same, drawing from the beginning: what a check finds does not depend on those before."""
        return replace(self)

    def afford(self, seconds: float) -> None:
        """Fewer tries where the metric is dear: the time of one of each kind is measured."""
        self.thorough = False
        if "taken" not in self.known:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                try:
                    self.known["taken"] = self._timed()
                except Exception:  # noqa: BLE001 - the checks will say so
                    return
        share = seconds / max(self.known["taken"] / 2 * self.amounts.tries, 1e-9)
        if share < 1:
            every = self.amounts
            self.amounts = Amounts(
                max(LEAST.moves, int(share * every.moves)),
                max(LEAST.configurations, int(share * every.configurations)),
                max(LEAST.paths, int(share * every.paths)),
            )

    def _timed(self) -> float:
        """Seconds of one record and one replay; the first record may find things out."""
        here = self.here()
        start = time.process_time()
        self.loss.replay(self.record(self.arguments).with_flat(here.flat), **self.arguments)
        return time.process_time() - start

    # --- the two sides

    def value(self, arguments: Arguments) -> float:
        """The user's metric at these arguments."""
        function = self.metric or getattr(type(self.loss), "metric_function", None)
        if function is None:
            return float(self.loss.problem(**arguments).metric)
        return value_of(self.loss, arguments, function)

    def value_or_none(self, arguments: Arguments) -> float | None:
        """The same; None where the user's own checks refuse the scores."""
        try:
            return self.value(arguments)
        except Exception:  # noqa: BLE001 - whatever they raise
            return None

    def problem(self) -> Problem:
        """The factored batch; all checks look at the same."""
        if "problem" not in self.known:
            self.known["problem"] = self.loss.problem(**self.arguments)
        return self.known["problem"]  # type: ignore[no-any-return]

    def record(self, arguments: Arguments) -> Configuration:
        """The configuration at these arguments."""
        return self.loss.record(**arguments)  # type: ignore[no-any-return]

    def here(self) -> Configuration:
        """The configuration of the batch itself; recorded once for all checks, and again where f has learned something."""
        settings = self.loss.heeded
        if self.known.get("heeded") != settings:
            self.known["here"], self.known["heeded"] = self.record(self.arguments), self.loss.heeded
        return self.known["here"]  # type: ignore[no-any-return]

    def replay(self, configuration: Configuration, arguments: Arguments) -> float:
        """The metric at a configuration, by the loss."""
        return float(self.loss.replay(configuration, **arguments))

    def close(self, ours: float, theirs: float) -> bool:
        """Equal up to the rounding of one reordered sum."""
        within = 1e-6 if self.doubles else 1e-5
        return math.isclose(ours, theirs, rel_tol=within, abs_tol=within) or (math.isnan(ours) and math.isnan(theirs))

    @property
    def doubles(self) -> bool:
        """Whether the scores have double precision."""
        kinds = {str(getattr(self.arguments[name], "dtype", "float64")) for name in self.loss.scores}
        return all("float64" in kind for kind in kinds)

    # --- where things stand

    @property
    def span(self) -> Span | None:
        """The metric's own first line."""
        code = getattr(inspect.unwrap(self.metric), "__code__", None) if self.metric is not None else None
        if code is None:
            code = getattr(getattr(type(self.loss), "metric_function", None), "__code__", None)
        return None if code is None else Span(code.co_filename, code.co_firstlineno)

    def span_of(self, error: BaseException) -> Span | None:
        """The innermost line of the user's code that raised."""
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            foreign = not frame.filename.startswith(_OWN) and not frame.filename.startswith("<")
            if foreign and "site-packages" not in frame.filename and frame.lineno:
                return Span(frame.filename, frame.lineno)
        return self.span

    # --- other scores

    def moved(self, how: str) -> dict[str, Any]:
        """The batch with other scores: its own in other places (`permuted`), others in their range (`bent`, a threshold is no
        matter of order), few different ones (`tied`), or its own with the least and the largest left where they are (`inner`).
        """
        moved = dict(self.arguments)
        for name in self.loss.scores:
            moved[name] = _like(moved[name], _MOVES[how](_tensor(moved[name]), self.draw))
        return moved

    def others(self) -> Iterator[dict[str, Any]]:
        """So many sets of other scores, of every kind in turn."""
        kinds = ("permuted", "bent", "met", "tied", "bent", "tied", "met", "permuted", "rows", "one")
        for place in range(self.amounts.moves):
            kind = kinds[place % len(kinds)]
            yield self._met() if kind == "met" else self.moved(kind)

    def untied(self) -> Iterator[dict[str, Any]]:
        """So many with as many ties as the batch has: a metric may gain by more."""
        for place in range(self.amounts.moves):
            yield self.moved(("permuted", "bent", "rows", "one")[place % 4])

    def shuffled(self) -> dict[str, Any] | None:
        """The batch with the other examples' targets; None where there is nothing to shuffle, or the metric has no value."""
        amount = len(_tensor(self.arguments[self.loss.scores[0]]))
        order = torch.randperm(amount, generator=self.draw)
        moved = dict(self.arguments)
        for name, value in self.arguments.items():
            passive = name not in self.loss.scores and isinstance(value, (Tensor, np.ndarray))
            if passive and np.shape(value)[:1] == (amount,):
                moved[name] = value[order.to(value.device) if isinstance(value, Tensor) else order.numpy()]
        found = self.value_or_none(moved)
        return moved if found is not None and math.isfinite(found) else None

    def _met(self) -> dict[str, Any]:
        """Scores some of which meet the thresholds they are compared with."""
        if "thresholds" not in self.known:
            self.known["thresholds"] = thresholds(self) if self.amounts.paths else {}
        moved = self.moved("bent")
        for name in self.loss.scores:
            x, met = _tensor(moved[name]), self.known["thresholds"].get(name)
            if met is not None:
                chosen = torch.rand(x.shape, generator=self.draw).to(x.device) < 0.3
                moved[name] = _like(moved[name], torch.where(chosen, nearest(x, met.to(x)), x))
        return moved

    def like(self, name: str, moved: Tensor) -> Any:
        """Other scores in the form in which they are given."""
        return _like(self.arguments[name], moved)

    def distinct(self, arguments: Arguments) -> bool:
        """Whether no two scores are equal."""
        every = [_tensor(arguments[name]).reshape(-1) for name in self.loss.scores]
        return all(len(torch.unique(x)) == len(x) for x in every)

    def between(self, there: Arguments, share: float) -> dict[str, Any]:
        """The batch with scores on the way from its own to others."""
        moved = dict(self.arguments)
        for name in self.loss.scores:
            here, other = _tensor(moved[name]), _tensor(there[name])
            moved[name] = _like(moved[name], here + share * (other - here))
        return moved


def value_of(loss: Any, arguments: Arguments, metric: Callable[..., Any]) -> float:
    """The metric itself, run plainly; `returns` picks one of several values, an array is averaged."""
    given = plainly(metric, arguments)
    with warnings.catch_warnings(), np.errstate(all="ignore"), torch.no_grad():
        warnings.simplefilter("ignore")
        result = loss.picked(metric(*given.args, **given.kwargs))
    return float(number(result, torch.device("cpu")).mean())


def plainly(function: Callable[..., Any], arguments: Arguments) -> inspect.BoundArguments:
    """Arguments by name as a function is called; arrays are copies, for it may write into them."""
    signature = inspect.signature(function)
    known = OrderedDict((name, _copy(arguments[name])) for name in signature.parameters if name in arguments)
    return inspect.BoundArguments(signature, known)


def _copy(value: Any) -> Any:
    return value.detach().clone() if isinstance(value, Tensor) else copy.deepcopy(value)


def _tensor(scores: Any) -> Tensor:
    if isinstance(scores, Tensor):
        return scores.detach()
    if forms.is_nested(scores):
        return forms.flattened(scores)[0].detach()
    array = np.asarray(scores)
    return torch.as_tensor(array if array.dtype.kind == "f" else array.astype(float))


def _like(scores: Any, moved: Tensor) -> Any:
    if isinstance(scores, Tensor):
        return moved.to(scores.device)
    if forms.is_nested(scores):
        return forms.like(scores, moved)
    if isinstance(scores, np.ndarray):
        return moved.cpu().numpy().astype(scores.dtype if scores.dtype.kind == "f" else float)
    return moved.tolist()


def _permuted(x: Tensor, draw: torch.Generator) -> Tensor:
    return x.reshape(-1)[torch.randperm(x.numel(), generator=draw).to(x.device)].reshape(x.shape)


def _bent(x: Tensor, draw: torch.Generator) -> Tensor:
    """Permuted, and moved within the range: less far from its ends the smaller the power."""
    mixed = _permuted(x, draw)
    if not x.numel():
        return mixed
    low, high = mixed.amin(), mixed.amax()
    power = float(torch.exp(2.4 * torch.rand((), generator=draw) - 1.2))
    return low + (high - low) * ((mixed - low) / (high - low).clamp(min=1e-12)) ** power


def _tied(x: Tensor, draw: torch.Generator) -> Tensor:
    """Permuted, with values of the batch standing for their neighbours: thresholds taken from the scores are met exactly."""
    mixed = _bent(x, draw) if float(torch.rand((), generator=draw)) < 0.5 else _permuted(x, draw)
    values = torch.unique(x)
    if len(values) < 2:
        return mixed
    amount = int(torch.randint(2, max(3, min(6, len(values))), (), generator=draw))
    return nearest(mixed, values[torch.linspace(0, len(values) - 1, amount, device=x.device).round().long()])


def nearest(x: Tensor, kept: Tensor) -> Tensor:
    """Every score replaced by the one of `kept` that is next to it."""
    places = (x.reshape(-1, 1) - kept).abs().argmin(1)
    return torch.index_select(kept, 0, places).reshape(x.shape)


def _rows(x: Tensor, draw: torch.Generator) -> Tensor:
    """Whole rows in other places: what is true of every row stays true."""
    if x.ndim < 2:
        return _permuted(x, draw)
    return x[torch.randperm(len(x), generator=draw).to(x.device)]


def _one(x: Tensor, draw: torch.Generator) -> Tensor:
    """Two scores exchanged: what goes wrong is not drowned."""
    flat = x.reshape(-1).clone()
    if len(flat) > 1:
        one, other = torch.randperm(len(flat), generator=draw)[:2].tolist()
        flat[[one, other]] = flat[[other, one]]
    return flat.reshape(x.shape)


def _inner(x: Tensor, draw: torch.Generator) -> Tensor:
    flat = x.reshape(-1)
    if len(flat) < 4:
        return _permuted(x, draw)
    ends = {int(flat.argmin()), int(flat.argmax())}
    free = torch.tensor([place for place in range(len(flat)) if place not in ends], device=x.device)
    moved = flat.clone()
    moved[free] = flat[free[torch.randperm(len(free), generator=draw).to(x.device)]]
    return moved.reshape(x.shape)


_MOVES: Mapping[str, Callable[[Tensor, torch.Generator], Tensor]] = {
    "permuted": _permuted,
    "bent": _bent,
    "tied": _tied,
    "rows": _rows,
    "one": _one,
    "inner": _inner,
}

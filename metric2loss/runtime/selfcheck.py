"""Turns a loss and a batch into findings: checks that a loss can make without knowing the metric it came from.

A program that lost a step still replays its own binaries; it shows in operands that drift when the scores move, in sites never
seen before, in configurations that fail, and in batched values that differ from the plain loop.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from metric2loss.diagnostics import MetricError
from metric2loss.runtime import prune
from metric2loss.runtime.loss import SurrogateLoss
from metric2loss.runtime.problem import Configuration, Problem

CONFIGURATIONS = 16


@dataclass(frozen=True)
class Finding:
    """One check: whether it passed, and what was seen."""

    check: str
    passed: bool
    detail: str = ""


def self_check(
    loss: SurrogateLoss,
    arguments: Mapping[str, Any],
    *,
    metric: Callable[..., Any] | None = None,
    seed: int = 0,
) -> tuple[Finding, ...]:
    """All checks on one batch, given by name; with the metric itself, SWAP too (not for mixed metrics)."""
    draw = torch.Generator().manual_seed(seed)
    subject = _Subject(loss, dict(arguments), metric, draw)
    return tuple(_tried(name, check) for name, check in subject.checks())


def _tried(name: str, check: Callable[[], str]) -> Finding:
    """A check returns what went wrong, "" when nothing did."""
    try:
        wrong = check()
    except MetricError as error:
        wrong = f"{error.diagnostics[0].code}: {error.diagnostics[0].message}"
    except Exception as error:  # noqa: BLE001 - generated code runs here; any failure is a finding
        wrong = f"{type(error).__name__}: {error}"
    return Finding(name, not wrong, wrong)


@dataclass
class _Subject:
    loss: SurrogateLoss
    arguments: dict[str, Any]
    metric: Callable[..., Any] | None
    draw: torch.Generator

    def checks(self) -> Iterator[tuple[str, Callable[[], str]]]:
        yield "there is a step", self.has_step
        yield "replay gives the metric of the recorded scores", self.replays
        yield "the same steps compare the same operands at other scores", self.does_not_drift
        yield "every configuration has a value", self.is_total
        yield "many configurations at once equal one by one", self.batches
        yield "items taken to be interchangeable are", self.prunes
        if self.metric is not None and not self.loss.mixed:
            yield "binaries of other scores give the metric of those", self.swaps

    def has_step(self) -> str:
        problem = self._problem()
        if not problem.size:
            return "no binary variables on this batch"
        return "" if problem.differences.requires_grad else "no gradient reaches the scores"

    def replays(self) -> str:
        configuration = self.loss.record(**self.arguments)
        ours = float(self.loss.replay(configuration, **self.arguments))
        theirs = self._problem().metric if self.metric is None else self._value(self.arguments)
        return "" if _close(ours, theirs) else f"the metric is {theirs!r}, replay gives {ours!r}"

    def does_not_drift(self) -> str:
        here = self.loss.record(**self.arguments)
        for moved in self._moved():
            there = self.loss.record(**moved)
            if (reason := _drift(here, there)) != "":
                return reason
        return ""

    def is_total(self) -> str:
        """The plain lines run at random configurations: no site unseen, no exception, no other shape."""
        recorded = self.loss.record(**self.arguments)
        size = len(recorded.flat)
        for share in torch.linspace(0, 1, CONFIGURATIONS).tolist():
            bits = torch.rand(size, generator=self.draw) < share
            self.loss.replay(recorded.with_flat(bits.numpy()), **self.arguments)
        return ""

    def batches(self) -> str:
        problem = self._problem()
        bits = (torch.rand(CONFIGURATIONS, problem.size, generator=self.draw) < 0.5).to(problem.bits.device)
        flips = torch.rand(CONFIGURATIONS, problem.size, generator=self.draw).argsort(1)[:, :2].to(bits.device)
        if not problem.size:
            return ""
        together = torch.cat([problem.values_of(bits), problem.values(problem.bits, flips)])
        dense = torch.stack([_turned(problem.bits, line) for line in flips])
        alone = torch.cat([problem.values_of(line.unsqueeze(0)) for line in torch.cat([bits, dense])])
        apart = (together - alone).abs().nan_to_num(0.0).max()
        same = torch.allclose(together, alone, rtol=1e-5, atol=1e-6, equal_nan=True)
        return "" if same else f"they differ by {float(apart):.3g} ({self.loss.batching})"

    def prunes(self) -> str:
        return "" if prune.holds(self._problem()) else "exchanging two of them changes the metric"

    def swaps(self) -> str:
        for moved in self._moved():
            theirs = self._value(moved)
            ours = float(self.loss.replay(self.loss.record(**moved), **self.arguments))
            if not _close(ours, theirs):
                return f"at other scores the metric is {theirs!r}, replaying their binaries gives {ours!r}"
        return ""

    def _problem(self) -> Problem:
        return self.loss.problem(**self.arguments)

    def _value(self, arguments: Mapping[str, Any]) -> float:
        assert self.metric is not None
        result = self.loss.picked(self.metric(**arguments))
        return float(torch.as_tensor(result).detach().double().mean())

    def _moved(self) -> Iterator[dict[str, Any]]:
        """The batch with its own scores in other places, so that ranges and ties stay."""
        for _ in range(4):
            moved = dict(self.arguments)
            for name in self.loss.scores:
                scores = moved[name]
                flat = torch.as_tensor(scores).detach().reshape(-1)
                mixed = flat[torch.randperm(len(flat), generator=self.draw)].reshape(torch.as_tensor(scores).shape)
                moved[name] = mixed if isinstance(scores, Tensor) else mixed.numpy()
            yield moved


def _drift(here: Configuration, there: Configuration) -> str:
    """Sites, kinds and operands must not depend on the scores."""
    if [key for key, _ in here.sites] != [key for key, _ in there.sites]:
        return "other steps are executed at other scores"
    for (key, one), (_, other) in zip(here.sites, there.sites, strict=True):
        if one.kind != other.kind:
            return f"{key}: {one.kind} became {other.kind}"
        if one.kind != "rounding" and not one.same_as(other):  # the range of rounding is the data's
            return f"{key}: other operands are compared at other scores"
    return ""


def _turned(bits: Tensor, flips: Tensor) -> Tensor:
    turned = bits.clone()
    known = flips[flips >= 0]
    turned[known] = ~bits[known]
    return turned


def _close(ours: float, theirs: float) -> bool:
    return math.isclose(ours, theirs, rel_tol=1e-5, abs_tol=1e-6) or (math.isnan(ours) and math.isnan(theirs))

"""How much of the metric each binary is worth on the way to the best configuration: g at single flips of sampled ones.

A sample draws every binary from u + t (1 − u), evaluates g there and with each binary flipped. Two of the four samples
take t from the whole path [0, 1], two from [0, 1 − p], which ends at the derivative of the multilinear extension itself.
Rows of a choose step with two outcomes are flipped as a whole, and the binaries inside them get the derivative of the
row in closed form.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from metric2loss.runtime.factored import Problem, drawn
from metric2loss.runtime.good_rows import GoodRows, Summed
from metric2loss.runtime.groups import Groups, Rows

SAMPLES = 4
_POINTS = 8  # of the closed forms, on the path


@dataclass(frozen=True)
class Plan:
    """What is flipped together: evaluation a flips binaries `flips[a]`; binary k is flipped by evaluation `by[k]`."""

    rows: Rows
    good: GoodRows | None
    flips: Tensor
    by: Tensor
    scale: float = 1.0  # evaluations that there are, for each one that is made

    @classmethod
    def of(cls, problem: Problem) -> Plan:
        """Single binaries, whole rows of a two-outcome choose; of a separable metric, the k-th of every row at once."""
        good, rows = GoodRows.read(problem), Rows(problem.n_rows, problem.row_of)
        size = len(problem.best)
        unit = torch.arange(size, device=problem.best.device)
        if rows.of is None and good is None:
            return cls(rows, good, unit.unsqueeze(1), unit)
        if good is not None:
            unit[good.at] = size + good.row
        units = Groups.by(unit)
        by = units.of
        if rows.of is not None:
            row_of_unit = rows.of[units.order[units.starts]]
            by = Groups.by(row_of_unit).place()[units.of]
        return cls(rows, good, *_flips(by))

    @property
    def evaluations(self) -> int:
        """How many configurations one sample needs."""
        return len(self.flips) + 1

    @property
    def steady(self) -> bool:
        """Whether some row is any-of-all: its path and link are not annealed."""
        return self.good is not None and not self.good.all_of

    @property
    def decided_by_rows(self) -> bool:
        """Whether every row of the metric is one two-outcome row, whose worth does not depend on anything else."""
        covered = 0 if self.good is None else len(self.good.at)
        return self.rows.of is not None and len(self.flips) == 1 and covered == len(self.by)

    def thinned(self, problem: Problem, share: float) -> Plan:
        """A random share of the evaluations, each counting for the ones left out: the same credit on average."""
        count = max(1, int(len(self.flips) * share))
        kept = torch.argsort(drawn(problem, len(self.flips)))[:count]
        by = torch.full((len(self.flips),), -1, device=kept.device)
        by[kept] = torch.arange(count, device=kept.device)
        return replace(self, flips=self.flips[kept], by=by[self.by], scale=len(self.flips) / count)


def _flips(by: Tensor) -> tuple[Tensor, Tensor]:
    groups = Groups.by(by)
    return groups.members(torch.arange(len(groups.counts), device=by.device)), groups.of


def of_binaries(problem: Problem, plan: Plan, x: Tensor) -> Tensor:
    """The credit of every binary, positive where moving towards the best helps; x are the oriented differences."""
    if plan.decided_by_rows and plan.good is not None:
        return _by_rows(problem, plan.good, plan, x)
    total, inside = torch.zeros_like(x), Summed()
    for t in stratified(problem, 0.0 if plan.steady else problem.progress):
        gains = _gains(problem, plan, x, t) / SAMPLES
        total += gains
        if plan.good is not None:
            inside.add(gains[plan.good.at], plan.good.log_derivative(x, t))
    return total if plan.good is None else _placed(plan.good, total, inside)


def _by_rows(problem: Problem, good: GoodRows, plan: Plan, x: Tensor) -> Tensor:
    """Two evaluations: every row good, every row bad."""
    right, wrong = problem.row_values_of(torch.stack([problem.best, ~problem.best])).double()
    worth = plan.rows.spread(_finite(problem.sign * (right - wrong)) / plan.rows.count, len(x))[good.at]
    inside = Summed()
    for t, weight in _nodes(problem.progress) if good.all_of else _midpoints():
        inside.add(worth * weight, good.log_derivative(x, t))
    return _placed(good, torch.zeros_like(x), inside)


def _placed(good: GoodRows, credit: Tensor, inside: Summed) -> Tensor:
    """Put the credit inside rows where it belongs; any-of-all rows divided by their mean, or it would underflow."""
    if good.all_of:
        return credit.index_copy_(0, good.at, inside.absolute())
    relative = inside.relative()
    mean = relative.abs().mean()
    return credit.index_copy_(0, good.at, relative / torch.where(mean > 0, mean, 1.0))


def _gains(problem: Problem, plan: Plan, x: Tensor, t: float) -> Tensor:
    """One sample: what setting each binary (or its whole row) right rather than wrong is worth, [L]."""
    agrees = _sampled(problem, plan, x, t)
    base = agrees == problem.best
    flips = torch.cat([plan.flips.new_full((1, plan.flips.shape[1]), -1), plan.flips])
    if plan.rows.of is None:
        values = problem.values(base, flips).double()
        change = (values[1:] - values[0])[plan.by.clamp(min=0)]
    else:
        table = problem.row_values(base, flips).double()
        change = (table[1:] - table[0])[plan.by.clamp(min=0), plan.rows.of] / plan.rows.count
    change = torch.where(plan.by >= 0, change * plan.scale, 0.0)
    return _finite(problem.sign * torch.where(agrees, -change, change))


def _sampled(problem: Problem, plan: Plan, x: Tensor, t: float) -> Tensor:
    """Whether each binary agrees with the best configuration, in a configuration drawn at t of the way there."""
    u = torch.sigmoid(x)
    agrees = drawn(problem, len(x)) < u + t * (1 - u)
    if plan.good is not None:
        good = drawn(problem, plan.good.n_rows) < plan.good.probability(x, t)
        agrees[plan.good.at] = good[plan.good.row]
    return agrees


def _finite(gains: Tensor) -> Tensor:
    return torch.where(torch.isfinite(gains), gains, 0.0)


def stratified(problem: Problem, progress: float) -> list[float]:
    """Two t on [0, 1] and two on [0, 1 − p], one in each half."""
    lots = drawn(problem, SAMPLES).tolist()
    ends = (1.0, 1.0, 1.0 - progress, 1.0 - progress)
    return [(lot + half) / 2 * end for lot, half, end in zip(lots, (0, 1, 0, 1), ends, strict=True)]


@functools.lru_cache(maxsize=1)
def _legendre() -> tuple[tuple[float, float], ...]:
    points, weights = np.polynomial.legendre.leggauss(_POINTS)
    return tuple(zip(((points + 1) / 2).tolist(), (weights / 2).tolist(), strict=True))


def _nodes(progress: float) -> list[tuple[float, float]]:
    """Nodes and weights of the same annealed path, for what can be integrated instead of sampled."""
    end = 1.0 - progress
    return [(t * upto, weight / 2) for upto in (1.0, end) for t, weight in _legendre()]


def _midpoints() -> list[tuple[float, float]]:
    return [((i + 0.5) / _POINTS, 1 / _POINTS) for i in range(_POINTS)]


def outcome_size(problem: Problem) -> int:
    """How many numbers one configuration hands to g: ranks, winners, truth values."""
    return max(1, sum(leaf.layout.numel for leaf in problem.leaves))

"""How much of the metric each binary is worth on the way to the best configuration: g at single flips of sampled ones.

A sample draws every binary from u + t (1 − u), evaluates g there and with each binary flipped. Two of the four samples
take t from the whole path [0, 1], two from [0, 1 − p], which ends at the derivative of the multilinear extension itself.
Rows of a choose step are flipped as a whole, from the class they should choose to another and back, and the binaries
inside them get the derivative of the row in closed form.
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
POINTS = 8  # of the closed forms, on the path


@dataclass(frozen=True)
class Plan:
    """What is flipped together: evaluation a flips binaries `flips[a]`; binary k is flipped by evaluation `by[k]`."""

    rows: Rows
    good: GoodRows | None
    flips: Tensor
    by: Tensor
    scale: float = 1.0  # evaluations that there are, for each one that is made
    decided_by_rows: bool = False  # every row of the metric is one row of two outcomes, worth the same whatever else is

    @classmethod
    def of(cls, problem: Problem) -> Plan:
        """Single binaries, whole rows of a choose step; of a separable metric, the k-th of every row at once."""
        good, rows = GoodRows.read(problem), Rows(problem.n_rows, problem.row_of)
        unit = torch.arange(len(problem.best), device=problem.best.device)
        if rows.of is None and good is None:
            return cls(rows, good, unit.unsqueeze(1), unit)
        if good is not None and rows.of is not None and torch.equal(good.at, unit) and torch.equal(good.row, rows.of):
            return cls(rows, good, unit.unsqueeze(0), torch.zeros_like(unit), decided_by_rows=True)
        used = unit
        if good is not None:
            used = torch.ones_like(problem.best).index_fill_(0, good.idle, False).nonzero().flatten()
            unit[good.at] = len(unit) + good.row
        units = Groups.by(unit[used])
        by = units.of
        if rows.of is not None:
            row_of_unit = rows.of[used[units.order[units.starts]]]
            by = Groups.by(row_of_unit).place()[units.of]
        flips = Groups.by(by).table()
        flips = torch.where(flips >= 0, used[flips.clamp(min=0)], -1)
        return cls(rows, good, flips, torch.full_like(unit, -1).index_copy_(0, used, by))

    @property
    def evaluations(self) -> int:
        """How many configurations one sample needs."""
        return len(self.flips) + 1

    @property
    def steady(self) -> bool:
        """Whether some row is any-of-all: its path and link are not annealed."""
        return self.good is not None and not self.good.all_of

    def thinned(self, problem: Problem, share: float) -> Plan:
        """A random share of the evaluations, each counting for the ones left out: the same credit on average."""
        count = max(1, int(len(self.flips) * share))
        kept = torch.argsort(drawn(problem, len(self.flips)))[:count]
        place = torch.full((len(self.flips),), -1, device=kept.device)
        place[kept] = torch.arange(count, device=kept.device)
        by = torch.where(self.by >= 0, place[self.by.clamp(min=0)], -1)
        return replace(self, flips=self.flips[kept], by=by, scale=len(self.flips) / count)


def of_binaries(problem: Problem, plan: Plan, x: Tensor) -> Tensor:
    """The credit of every binary, positive where moving towards the best helps; x are the oriented differences."""
    if plan.decided_by_rows and plan.good is not None:
        return _by_rows(problem, plan.good, plan, x)
    total, inside = torch.zeros_like(x, dtype=torch.double), Summed()
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
    credit = torch.zeros(len(x), dtype=torch.double, device=x.device)
    if good.all_of:
        points, weights = nodes(problem.progress, x)
        return credit.index_copy_(0, good.at, worth * good.integral(x, points, weights))
    inside = Summed()
    for i in range(POINTS):
        inside.add(worth / POINTS, good.log_derivative(x, (i + 0.5) / POINTS))
    return _placed(good, credit, inside)


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
    rows = plan.good
    if rows is not None:
        agrees[rows.at] = (drawn(problem, rows.n_rows) < rows.probability(x, t))[rows.row]
        if len(rows.idle):
            idle = rows.ranked(drawn(problem, len(rows.keys)), problem.temperature)
            agrees[rows.idle] = idle == problem.best[rows.idle]
    return agrees


def _finite(gains: Tensor) -> Tensor:
    return torch.where(torch.isfinite(gains), gains, 0.0)


def stratified(problem: Problem, progress: float) -> list[float]:
    """Two t on [0, 1] and two on [0, 1 − p], one in each half."""
    lots = drawn(problem, SAMPLES).tolist()
    ends = (1.0, 1.0, 1.0 - progress, 1.0 - progress)
    return [(lot + half) / 2 * end for lot, half, end in zip(lots, (0, 1, 0, 1), ends, strict=True)]


@functools.lru_cache(maxsize=1)
def _legendre() -> tuple[Tensor, Tensor]:
    points, weights = np.polynomial.legendre.leggauss(POINTS)
    return torch.from_numpy((points + 1) / 2), torch.from_numpy(weights / 2)


def nodes(progress: float, like: Tensor) -> tuple[Tensor, Tensor]:
    """Nodes and weights of the same annealed path, for what can be integrated instead of sampled."""
    points, weights = (part.to(like) for part in _legendre())
    return torch.cat([points, points * (1.0 - progress)]), torch.cat([weights, weights]) / 2


def cost(problem: Problem, plan: Plan) -> int:
    """What one step takes, in numbers handed to g; a plain loop over configurations costs by the run."""
    numbers = 0
    for leaf in problem.leaves:
        every_row = leaf.layout.kind == "choose" and plan.rows.of is not None
        numbers += int(leaf.layout.keys.numel() if every_row else leaf.layout.numel)
    return SAMPLES * plan.evaluations * max(numbers, problem.run_cost)

"""How much of the metric each binary is worth on the way to the best configuration: g at single flips of sampled ones.

A sample draws every binary from u + t (1 − u), evaluates g there and with each binary flipped. Two of the four samples
take t from the whole path [0, 1], two from [0, 1 − p], which ends at the derivative of the multilinear extension itself.
Orders within rows, half of whose credit is shared evenly, need but one of each.
Rows of a choose step are flipped as a whole, from the class they should choose to another and back; see `margins`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from metric2loss.runtime.factored import Problem, drawn
from metric2loss.runtime.good_rows import GoodRows
from metric2loss.runtime.groups import Groups, Rows
from metric2loss.runtime.interpolants import links, margins

SAMPLES = 4
FEW = 2  # measured: NDCG@10 .938 and .938 with an MLP, recall@3 .644 and .643, in 0.6 of the time


@dataclass(frozen=True)
class Plan:
    """What is flipped together: evaluation a flips binaries `flips[a]`; binary k is flipped by evaluation `by[k]`."""

    rows: Rows
    good: GoodRows | None
    flips: Tensor
    by: Tensor
    scale: float = 1.0  # evaluations that there are, for each one that is made
    decided_by_rows: bool = False  # every row of the metric is one row of two outcomes, worth the same whatever else is
    samples: int = SAMPLES

    @classmethod
    def of(cls, problem: Problem) -> Plan:
        """Single binaries, whole rows of a choose step; of a separable metric, the k-th of every row at once.

        A binary at an infinite difference (an edge at infinity, a score that is masked) stays as it is: no finite score moves it.
        """
        good, rows = GoodRows.read(problem), Rows(problem.n_rows, problem.row_of)
        unit = torch.arange(len(problem.best), device=problem.best.device)
        held = problem.certain
        some_held = 0 < int(held.sum()) < len(held)
        if rows.of is None and good is None:
            if not some_held:
                return cls(rows, good, unit.unsqueeze(1), unit)
            free = held.logical_not().nonzero()
            return cls(rows, good, free, torch.full_like(unit, -1).index_copy_(0, free.flatten(), unit[: len(free)]))
        if good is not None and rows.of is not None and torch.equal(good.at, unit) and torch.equal(good.row, rows.of):
            return cls(rows, good, unit.unsqueeze(0), torch.zeros_like(unit), decided_by_rows=True)
        used = unit
        if good is not None or some_held:
            movable = held.logical_not()
            if good is not None:
                movable = movable.index_fill_(0, good.at, True).index_fill_(0, good.idle, False)
            used = movable.nonzero().flatten()
        if good is not None:
            unit[good.at] = len(unit) + good.row
        units = Groups.by(unit[used])
        by = units.of
        if rows.of is not None:
            row_of_unit = rows.of[used[units.order[units.starts]]]
            by = Groups.by(row_of_unit).place()[units.of]
        flips = Groups.by(by).table()
        flips = torch.where(flips >= 0, used[flips.clamp(min=0)], -1)
        samples = FEW if rows.of is not None and all(map(links.is_order, problem.leaves)) else SAMPLES
        return cls(rows, good, flips, torch.full_like(unit, -1).index_copy_(0, used, by), samples=samples)

    @property
    def evaluations(self) -> int:
        """How many configurations one sample needs."""
        return len(self.flips) + 1

    @property
    def units(self) -> str:
        """What is flipped, in words."""
        what = "single binaries" if self.good is None else "whole rows of choices"
        return what if self.rows.of is None else f"{what}, those of every row at once,"

    def thinned(self, problem: Problem, share: float) -> Plan:
        """A random share of the evaluations, each counting for the ones left out: the same credit on average."""
        count = max(1, int(len(self.flips) * share))
        kept = torch.argsort(drawn(problem, len(self.flips)))[:count]
        place = torch.full((len(self.flips),), -1, device=kept.device)
        place[kept] = torch.arange(count, device=kept.device)
        by = torch.where(self.by >= 0, place[self.by.clamp(min=0)], -1)
        return replace(self, flips=self.flips[kept], by=by, scale=len(self.flips) / count)


def of_binaries(problem: Problem, plan: Plan, x: Tensor) -> Tensor:
    """The credit of every binary, positive where moving towards the best helps; those of a row of a choice share the row's.

    x are the oriented differences.
    """
    if plan.decided_by_rows and plan.good is not None:
        return _by_rows(problem, plan.good, plan, x)
    total = torch.zeros_like(x, dtype=torch.double)
    for t in stratified(problem, problem.progress, plan.samples):
        total += _gains(problem, plan, x, t) / plan.samples
    return total


def of_rows(plan: Plan, worth: Tensor) -> Tensor:
    """The credit of each row of a choice, from that of its binaries."""
    assert plan.good is not None
    return worth.new_zeros(plan.good.n_rows).index_copy_(0, plan.good.row, worth[plan.good.at])


def missing(problem: Problem, plan: Plan, x: Tensor) -> float:
    """Σ (1 − u) of the binaries, a row of a choice being one: how far they are from the best ones."""
    short = torch.sigmoid(-x)
    if plan.good is None:
        return float(short.sum())
    return float(short.index_fill(0, plan.good.at, 0.0).sum() + (1 - margins.chances(problem, plan.good)).sum())


def _by_rows(problem: Problem, good: GoodRows, plan: Plan, x: Tensor) -> Tensor:
    """Two evaluations: every row good, every row bad."""
    right, wrong = problem.row_values_of(torch.stack([problem.best, ~problem.best])).double()
    worth = plan.rows.spread(_finite(problem.sign * (right - wrong)) / plan.rows.count, len(x))
    return torch.zeros_like(worth).index_copy_(0, good.at, worth[good.at])


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
        chance = margins.chances(problem, rows)
        agrees[rows.at] = (drawn(problem, rows.n_rows) < chance + t * (1 - chance))[rows.row]
        if len(rows.idle):
            idle = rows.ranked(drawn(problem, len(rows.keys)), problem.temperature)
            agrees[rows.idle] = idle == problem.best[rows.idle]
    return agrees


def _finite(gains: Tensor) -> Tensor:
    return torch.where(torch.isfinite(gains), gains, 0.0)


def stratified(problem: Problem, progress: float, samples: int = SAMPLES) -> list[float]:
    """Half of the t on [0, 1] and half on [0, 1 − p], one in each of as many equal parts of either."""
    parts = samples // 2
    lots = drawn(problem, samples).tolist()
    return [(lot + k % parts) / parts * (1.0 if k < parts else 1.0 - progress) for k, lot in enumerate(lots)]


def cost(problem: Problem, plan: Plan) -> int:
    """What one step takes, in numbers handed to g; a plain loop over configurations costs by the run."""
    numbers = 0
    for leaf in problem.leaves:
        every_row = leaf.layout.kind == "choose" and plan.rows.of is not None
        numbers += int(leaf.layout.keys.numel() if every_row else leaf.layout.numel)
    return plan.samples * plan.evaluations * max(numbers, problem.run_cost)

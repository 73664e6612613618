"""The multilinear extension: the mean of g over independent binaries that are true with probability u = sigmoid(c / τ).

    G(u) = E g(b),  b_k ~ Bernoulli(u_k);   dG/du_k = E [g(b with b_k = 1) − g(b with b_k = 0)]

The value is the distance of G(u) from the best value, differentiated.  Where every row of the metric has few binaries, the
mean is taken over all their configurations (2^m evaluations serve all rows at once); a row that is a choice between two
outcomes has G in closed form (2 evaluations).  Else b is sampled and each binary (of every row at once) flipped: `samples`
times L + 1 evaluations, without bias.

Use it late in training, for what the metric says *here*; from scratch its derivative can vanish (see docs).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from metric2loss.runtime.factored import Problem, drawn
from metric2loss.runtime.good_rows import GoodRows
from metric2loss.runtime.groups import Groups, Rows
from metric2loss.runtime.interpolants.protocol import joined, nothing

_ALL = 64  # so many configurations of a row are enumerated


@dataclass
class Multilinear:
    """G(u) and its derivative; `budget` bounds the evaluations of a sampled step, beyond it random flips are left out."""

    name: ClassVar[str] = "multilinear"
    samples: int = 4
    budget: int = 2**13
    notes: ClassVar[tuple[str, ...]] = ()

    def __call__(self, problem: Problem) -> Tensor:
        """The distance of G(u) from the best value, with its own derivative."""
        if not len(problem.best):
            return nothing(problem)
        value, slope = self.extension(problem)
        u = _relaxed(problem)
        gradient = -problem.sign * slope * u * (1 - u) / problem.temperature
        return joined(abs(problem.best_value - value), (problem.differences, gradient))

    def extension(self, problem: Problem) -> tuple[float, Tensor]:
        """G(u), and dG/du [L]."""
        u = _relaxed(problem)
        rows = Rows(problem.n_rows, problem.row_of)
        by_row = Groups.by(torch.zeros_like(problem.bits, dtype=torch.long) if rows.of is None else rows.of)
        if 2 ** int(by_row.counts.max()) <= _ALL:
            return _enumerated(problem, rows, by_row, u)
        good = _decided(problem)
        return _sampled(problem, rows, by_row, u, self) if good is None else _closed(problem, rows, good)


def _relaxed(problem: Problem) -> Tensor:
    return torch.sigmoid(problem.differences.detach().double() / problem.temperature)


def _row_values(problem: Problem, bits: Tensor) -> Tensor:
    """Rows' shares of the metric, [A, R]: they add up to it."""
    values = problem.values_of(bits).unsqueeze(1) if problem.row_of is None else problem.row_values_of(bits)
    return _finite(values.double()) / values.shape[1]


def _finite(values: Tensor) -> Tensor:
    return torch.where(torch.isfinite(values), values, 0.0)


def _enumerated(problem: Problem, rows: Rows, by_row: Groups, u: Tensor) -> tuple[float, Tensor]:
    """Every configuration of every row: the a-th evaluation has the a-th one of each."""
    place = by_row.place()
    most = int(by_row.counts.max())
    table = (torch.arange(2**most, device=u.device).unsqueeze(1) >> torch.arange(most, device=u.device)) & 1 == 1
    bits = table[:, place]
    shares = torch.where(bits, u, 1 - u)
    # the first 2^m of the configurations are all those of a row with m binaries
    once = torch.arange(2**most, device=u.device).unsqueeze(1) < 2 ** by_row.counts[by_row.of]
    logs = torch.log(shares.clamp(min=1e-300))
    whole = rows.total(logs)
    first = torch.zeros_like(whole, dtype=torch.bool) if rows.of is not None else whole.new_ones(whole.shape).bool()
    if rows.of is not None:
        first[:, rows.of] = once
        empty = torch.bincount(rows.of, minlength=rows.count) == 0
        first[0, empty] = True
    values = torch.where(first, _row_values(problem, bits), 0.0)
    mean = (torch.exp(whole) * values).sum()
    others = torch.exp(rows.spread(whole, len(u)) - logs)  # the probability of the row's other binaries
    slope = (torch.where(bits, 1.0, -1.0) * others * rows.spread(values, len(u))).sum(0)
    return float(mean), slope


def _decided(problem: Problem) -> GoodRows | None:
    """The rows, when each row of the metric is one choice between two outcomes."""
    good = GoodRows.read(problem)
    if good is None or problem.row_of is None or len(good.idle) or len(good.at) != len(problem.best):
        return None
    return good if torch.equal(good.row, problem.row_of) and good.n_rows == problem.n_rows else None


def _closed(problem: Problem, rows: Rows, good: GoodRows) -> tuple[float, Tensor]:
    """G of a row is between its two values, by the probability that it is good."""
    x = problem.differences.detach().double() / problem.temperature
    x = torch.where(problem.best, x, -x).clamp(-700, 700)
    right, wrong = _row_values(problem, torch.stack([problem.best, ~problem.best]))
    worth = rows.spread(right - wrong, len(x))
    value = (wrong + (right - wrong) * good.probability(x, 0.0)).sum()
    slope = worth.new_zeros(len(x)).index_copy_(0, good.at, torch.exp(good.log_derivative(x, 0.0)))
    return float(value), torch.where(problem.best, worth, -worth) * slope


def _sampled(problem: Problem, rows: Rows, by_row: Groups, u: Tensor, options: Multilinear) -> tuple[float, Tensor]:
    """Flips of sampled configurations; beyond the budget a random share of the flips, each counting for more."""
    place = by_row.place()
    flips = torch.full((int(by_row.counts.max()), rows.count if rows.of is not None else 1), -1, device=u.device)
    flips[place, by_row.of if rows.of is None else rows.of] = torch.arange(len(u), device=u.device)
    kept = torch.arange(len(flips), device=u.device)
    if options.samples * len(flips) > options.budget:
        kept = torch.argsort(drawn(problem, len(flips)))[: max(1, options.budget // options.samples)]
    at = torch.full((len(flips),), -1, device=u.device)
    at[kept] = torch.arange(len(kept), device=u.device)
    by = at[place]
    listed = torch.cat([torch.full_like(flips[:1], -1), flips[kept]])
    value, slope = 0.0, torch.zeros_like(u)
    for _ in range(options.samples):
        base = drawn(problem, len(u)).double() < u
        values = problem.row_values(base, listed) if rows.of is not None else problem.values(base, listed).unsqueeze(1)
        values = _finite(values.double()) / values.shape[1]
        value += float(values[0].sum()) / options.samples
        change = values[1:] - values[:1]
        change = change[by.clamp(min=0), by_row.of.new_zeros(len(u)) if rows.of is None else rows.of]
        change = torch.where(by >= 0, change, 0.0) * (len(flips) / len(kept))
        slope += torch.where(base, -change, change) / options.samples
    return (value if math.isfinite(value) else 0.0), slope

"""Credit of rows of a choice by what is chosen instead: a metric may mind some wrong classes more than others.

A sample draws the winner of every row, at t of the way from its softmax probability to the best configuration, and evaluates g
with each row on each of its candidates (of a mean over rows all rows at once).  V_k is what candidate k is worth then, P_k its
probability, P that of the good ones.  Candidate k is pulled down by (V_good − V_k) P_k P^p, the good ones up by as much
altogether: where all bad ones are worth the same that is the link of `margins`, cross entropy at p = 0.  Bad candidates are
compared with each other as well, by their part of the derivative of the row's expected value: where labels are vague the better of
two wrong classes is what there is to learn.  Measured on metrics apart from those of the results, test metric less the best
hand-made loss, 4 seeds, by whole rows (good or not) and by candidates: quadratic kappa of five grades −.087 (SE .014) and −.015
(.015), mean error of the grade −.085 (.008) and +.014 (.026), a hierarchical cost with 30 % wrong labels −.017 (.020) and +.011
(.006), macro F1 with 30 % wrong labels +.002 and .000 (.004).  Bad candidates left out: kappa −.083; weighed like P^(p − 1):
the cost −.116 (.038).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from metric2loss.runtime.factored import Leaf, Problem, drawn
from metric2loss.runtime.interpolants import margins, usual
from metric2loss.runtime.interpolants.credit import SAMPLES, Plan, stratified
from metric2loss.runtime.interpolants.links import Power

_MOST = 16  # candidates of a row that are all tried


@dataclass(frozen=True)
class Choice:
    """One step: which candidates are good [R, n], one good one of each row [R], and the softmax probabilities [R, n]."""

    leaf: Leaf
    good: Tensor
    first: Tensor
    chances: Tensor

    @classmethod
    def of(cls, problem: Problem, leaf: Leaf, good: Tensor) -> Choice:
        keys = margins.scaled(leaf.layout.keys, problem.temperature).reshape(good.shape)
        return cls(leaf, good, good.long().argmax(1), torch.softmax(keys.double(), 1))

    @property
    def right(self) -> Tensor:
        """P of each row."""
        return (self.chances * self.good).sum(1)

    def winners(self, problem: Problem, t: float) -> Tensor:
        """A winner of each row at t of the way to the best configuration, [R]."""
        right, rows = self.right, len(self.good)
        agrees = drawn(problem, rows).double() < right + t * (1 - right)
        below = self.chances.masked_fill(self.good, 0.0).cumsum(1)
        reached = below > drawn(problem, rows).double().unsqueeze(1) * below[:, -1:]
        other = torch.where(reached.any(1), reached.long().argmax(1), (~self.good).long().argmax(1))
        return torch.where(agrees, self.first, other)

    def costs(self, values: Tensor) -> Tensor:
        """What a good candidate is worth more than each, [R, n]."""
        return values.gather(1, self.first.unsqueeze(1)) - values

    def gradient(self, costs: Tensor, power: Power, temperature: float) -> Tensor:
        """dL/dkeys, flat."""
        right = self.right.unsqueeze(1).clamp(min=torch.finfo(torch.double).tiny)
        p = power.at(float(right.mean()))
        bad = self.chances.masked_fill(self.good, 0.0)
        down = bad * costs * right**p
        among = bad * (bad.sum(1, keepdim=True) * costs - (bad * costs).sum(1, keepdim=True))
        found = down + among - down.sum(1, keepdim=True) * (self.chances * self.good) / right
        harder = float(self.good.double().mean()) ** (-p * (1 - p))  # see `margins`
        slope: Tensor = (found * (harder / temperature)).to(self.leaf.layout.keys.dtype)
        return slope.reshape(-1)


def read(problem: Problem, plan: Plan, budget: int) -> list[Choice]:
    """The steps, if all binaries are of rows of a choice between some classes, few enough to try them all; else none."""
    good = plan.good
    if good is None or not len(good.idle) or len(good.at) + len(good.idle) != len(problem.best):
        return []
    if problem.row_of is not None and not _row_by_row(problem, good.sides):
        return []
    sides = [side for _, side in good.sides]
    if any(side.shape[1] > _MOST or not bool(side.any(1).all()) or bool(side.all(1).any()) for side in sides):
        return []
    numbers = sum(leaf.layout.numel for leaf in problem.leaves)
    work = _evaluations(problem, sides) * max(numbers, problem.run_cost)
    return [Choice.of(problem, leaf, side) for leaf, side in good.sides] if work <= budget else []


def _row_by_row(problem: Problem, sides: Sequence[tuple[Leaf, Tensor]]) -> bool:
    """Whether the rows of the only step are those that the metric is a mean of, one for one and in order."""
    (leaf, good), *others = sides
    of = problem.row_of
    return of is not None and not others and len(good) == problem.n_rows and torch.equal(leaf.layout.row_of, of)


def evaluations(problem: Problem, choices: Sequence[Choice]) -> int:
    """How often the metric is evaluated in a step."""
    return _evaluations(problem, [choice.good for choice in choices])


def _evaluations(problem: Problem, sides: Sequence[Tensor]) -> int:
    return SAMPLES * sum(side.shape[1] * (len(side) if problem.row_of is None else 1) for side in sides)


def costs(problem: Problem, choices: Sequence[Choice]) -> list[Tensor]:
    """Of each step what a good candidate is worth more than each, [R, n], the mean over samples."""
    found = [torch.zeros_like(choice.chances) for choice in choices]
    for t in stratified(problem, problem.progress):
        base = [choice.winners(problem, t) for choice in choices]
        for total, choice, values in zip(found, choices, _values(problem, choices, base), strict=True):
            total += choice.costs(values) / SAMPLES
    return found


def _values(problem: Problem, choices: Sequence[Choice], base: Sequence[Tensor]) -> Iterator[Tensor]:
    """Of each step sign · g with each row on each candidate, [R, n], all other rows as in `base`."""
    at = {choice.leaf.start: winners for choice, winners in zip(choices, base, strict=True)}
    fixed = [_outcome(leaf, at.get(leaf.start) if leaf.layout.size else None) for leaf in problem.leaves]
    for choice in choices:
        rows, n = choice.good.shape
        number = next(k for k, leaf in enumerate(problem.leaves) if leaf is choice.leaf)
        many = [k == number for k in range(len(fixed))]
        each = torch.arange(n, device=choice.good.device)
        if problem.row_of is None:
            lines = at[choice.leaf.start].repeat(rows, n, 1)
            lines[torch.arange(rows), :, torch.arange(rows)] = each
            lines = lines.reshape(rows * n, rows)
        else:
            lines = each.unsqueeze(1).expand(n, rows)
        outcomes = [choice.leaf.layout.of_winners(lines) if m else x for x, m in zip(fixed, many, strict=True)]
        if problem.row_of is None:
            values = problem.values_with(outcomes, many, rows * n).reshape(rows, n)  # type: ignore[attr-defined]
        else:
            values = problem.rows_with(outcomes, many, n).t() / problem.n_rows  # type: ignore[attr-defined]
        values = torch.nan_to_num(problem.sign * values.double())
        yield torch.where(choice.good, values.gather(1, choice.first.unsqueeze(1)), values)


def _outcome(leaf: Leaf, winners: Tensor | None) -> Tensor:
    """Of a step with given winners, or of one without binaries."""
    layout = leaf.layout
    if winners is not None:
        return layout.of_winners(winners.unsqueeze(0))[0]  # type: ignore[no-any-return]
    return layout.result(torch.zeros(1, 0, dtype=torch.bool, device=layout.device))[0]  # type: ignore[no-any-return]


def usual_costs(
    problem: Problem, choices: Sequence[Choice], found: Sequence[Tensor], known: usual.Usual
) -> list[Tensor]:
    """The costs of the rows with half of the mean of each kind of rows replaced by the usual one; one class, one column."""
    named, width = usual.names(problem), max(choice.good.shape[1] for choice in choices)
    kinds = [usual.of_rows(problem, named[choice.leaf.start], choice.good) for choice in choices]
    padded = torch.cat([torch.nn.functional.pad(cost, (0, width - cost.shape[1])) for cost in found])
    shared = torch.split(known.share(usual.Kinds.joined(kinds), padded), [len(cost) for cost in found])
    return [rows[:, : cost.shape[1]] for rows, cost in zip(shared, found, strict=True)]


def size(choices: Sequence[Choice], found: Sequence[Tensor]) -> float:
    """The mean size of a cost of a bad candidate."""
    amount = sum(int((~choice.good).sum()) for choice in choices)
    return sum(float(cost.abs().sum()) for cost in found) / amount


def missing(choices: Sequence[Choice]) -> float:
    """Σ (1 − P) of the rows: how far they are from the best ones."""
    return sum(float((1 - choice.right).sum()) for choice in choices)

"""The configurations at which g is evaluated for inverse distance weighting: best, good, near and bad anchors.

Good anchors are the best configuration with one flip, near ones the current configuration with one wrong binary set
right (for choose over pixels: all wrong binaries of one pixel), bad ones are random. The first three are stored as
base + flips. With a separable metric every row has flips of its own in each anchor, so that as many evaluations serve
all rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from metric2loss.runtime.factored import Factored, Problem, drawn
from metric2loss.runtime.good_rows import GoodRows
from metric2loss.runtime.groups import Groups, Rows

_DENSE = 2**20  # up to so many binaries in all anchors together, one evaluation call is cheaper than three


@dataclass(frozen=True)
class Anchors:
    """The paper's anchors of one batch, in the order best, good, near, bad."""

    best: Tensor
    good: Tensor  # flips [1 + n, F] of the best configuration; the first row flips nothing
    current: Tensor
    near: Tensor  # flips [n, F'] of the current configuration
    random: Tensor  # [n, L]

    @classmethod
    def drawn_for(cls, problem: Problem, rows: Rows, count: int = 16) -> Anchors:
        """Draw `count` good, near and bad anchors."""
        anything = torch.ones_like(problem.best)
        good = _picks(problem, rows, anything, count)
        good = torch.cat([torch.full_like(good[:1], -1), good])
        random = drawn(problem, count, len(problem.best)) < 0.5
        return cls(problem.best, good, problem.bits, _towards_best(problem, rows, count), random)

    def __len__(self) -> int:
        return len(self.good) + len(self.near) + len(self.random)

    def around(self) -> Iterator[tuple[Tensor, Tensor]]:
        """The anchors that are kept as a base and its flips."""
        yield self.best, self.good
        yield self.current, self.near

    def dense(self) -> Tensor:
        """All anchors in full, [A, L]."""
        return torch.cat([*(flipped(base, flips) for base, flips in self.around()), self.random])

    def values(self, problem: Factored, rows: Rows) -> Tensor:
        """g at every anchor: [A, rows], one row where the metric is taken as a whole."""
        separable = rows.of is not None
        if not separable and len(problem.leaves) == 1 and hasattr(problem, "values_at"):
            layout = problem.leaves[0].layout
            found: Tensor = problem.values_at(layout.around([*self.around()], self.random))
            return found.double().reshape(-1, 1)
        of_all = problem.row_values_of if separable else problem.values_of
        of_flips = problem.row_values if separable else problem.values
        if len(self) * len(self.best) <= _DENSE:
            values = of_all(self.dense())
        else:
            values = torch.cat([*(of_flips(base, flips) for base, flips in self.around()), of_all(self.random)])
        return values.double().reshape(len(self), -1)


def flipped(base: Tensor, flips: Tensor) -> Tensor:
    """The base with each row of flips applied (-1 flips nothing): [A, L]."""
    padded = torch.cat([base, base.new_zeros(1)]).repeat(len(flips), 1)
    at = torch.where(flips >= 0, flips, len(base))
    return padded.scatter_(1, at, ~padded.gather(1, at))[:, : len(base)]


def _picks(problem: Factored, rows: Rows, eligible: Tensor, count: int) -> Tensor:
    """Draw `count` eligible binaries in every row (any if there is none, -1 in an empty row): [count, R]."""
    size = len(eligible)
    lots = drawn(problem, count, rows.count).double()
    if rows.of is None:
        pool = eligible.nonzero().flatten()
        pool = pool if len(pool) else torch.arange(size, device=eligible.device)
        return pool[(lots * len(pool)).long().clamp(max=len(pool) - 1)]
    order = torch.argsort(rows.of * 2 + (~eligible).long())  # row by row, eligible ones first
    here = torch.bincount(rows.of, minlength=rows.count)
    wanted = torch.bincount(rows.of[eligible], minlength=rows.count)
    among = torch.where(wanted > 0, wanted, here)
    place = torch.minimum((lots * among).long(), (among - 1).clamp(min=0))
    chosen = order[(here.cumsum(0) - here + place).clamp(max=size - 1)]
    return torch.where(here > 0, chosen, -1)


def _towards_best(problem: Problem, rows: Rows, count: int) -> Tensor:
    """Flips of the current configuration towards the best one."""
    wrong = problem.bits != problem.best
    picks = _picks(problem, rows, wrong, count)
    pixel = _pixels(problem)
    if pixel is None:
        return picks
    groups = Groups.by(pixel)
    together = groups.members(torch.where(picks >= 0, groups.of[picks.clamp(min=0)], -1))
    keep = (together >= 0) & (wrong[together.clamp(min=0)] | (together == picks.unsqueeze(-1)))
    return torch.where(keep, together, -1).flatten(1)


def _pixels(problem: Problem) -> Tensor | None:
    """A number per binary, shared by those of one good candidate of an any-of-all row; None without such rows."""
    good = GoodRows.read(problem)
    if good is None or good.all_of:
        return None
    pixel = torch.arange(len(problem.best), device=problem.best.device)
    pixel[good.at] = len(pixel) + good.good
    return pixel

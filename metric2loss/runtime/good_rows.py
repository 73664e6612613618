"""Rows decided by "some good candidate beats all bad ones": their probability and its derivative in closed form.

With independent relaxed binaries u_ij (good candidate i beats bad candidate j) and q_i = Π_j u_ij, the row is good with
probability Q = 1 − Π_i (1 − q_i), and dQ/du_ij = (q_i / u_ij) Π_{i'≠i} (1 − q_i'). One good candidate: Q = Π_j u_j.
All of it is in log space: a heat map's q is a product of a thousand factors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from metric2loss.runtime.factored import Leaf, Problem


@dataclass(frozen=True)
class GoodRows:
    """The rows of choose steps whose candidates have two outcomes, seen from the best configuration."""

    at: Tensor  # which of the batch's binaries they are
    row: Tensor  # the row of each of them
    good: Tensor  # the candidate among all rows' candidates which the best configuration has win there
    row_of_candidate: Tensor
    n_rows: int
    all_of: bool  # every row has one good candidate

    @classmethod
    def read(cls, problem: Problem) -> GoodRows | None:
        """All such rows of the batch, or None."""
        found = [(leaf, good) for leaf in problem.leaves if (good := _good_candidates(problem, leaf)) is not None]
        if not found:
            return None
        at, rows, goods, owners, n_rows, n_candidates = [], [], [], [], 0, 0
        for leaf, good in found:
            here, candidates = leaf.layout.classes.shape
            at.append(torch.arange(leaf.start, leaf.stop, device=good.device))
            rows.append(leaf.layout.row_of + n_rows)
            goods.append(good + n_candidates)
            owners.append(torch.arange(here * candidates, device=good.device) // candidates + n_rows)
            n_rows, n_candidates = n_rows + here, n_candidates + here * candidates
        good, owner = torch.cat(goods), torch.cat(owners)
        present = torch.zeros_like(owner).index_fill_(0, good, 1)
        per_row = torch.zeros(n_rows, dtype=torch.long, device=good.device).index_add_(0, owner, present)
        return cls(torch.cat(at), torch.cat(rows), good, owner, n_rows, bool((per_row <= 1).all()))

    def _logs(self, x: Tensor, t: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """log u of binaries, log q and log(1 − q) of candidates, log Π(1 − q) of rows, at t of the way to b*."""
        mine = x[self.at]
        log_u = logsigmoid(mine)
        if t > 0:  # u(t) = u + t (1 − u)
            log_u = torch.logaddexp(log_u, math.log(t) + logsigmoid(-mine))
        size = len(self.row_of_candidate)
        log_q = log_u.new_zeros(size).index_add_(0, self.good, log_u)
        present = log_u.new_zeros(size).index_fill_(0, self.good, 1.0)
        log_rest = torch.log(-torch.expm1(log_q.clamp(max=-1e-15))) * present
        rows = log_u.new_zeros(self.n_rows).index_add_(0, self.row_of_candidate, log_rest)
        return log_u, log_q, log_rest, rows

    def log_derivative(self, x: Tensor, t: float) -> Tensor:
        """log dQ/du of each binary, x being the oriented differences of the whole batch."""
        log_u, log_q, log_rest, rows = self._logs(x, t)
        return log_q[self.good] - log_u + (rows[self.row] - log_rest[self.good])

    def probability(self, x: Tensor, t: float) -> Tensor:
        """Q of each row."""
        return -torch.expm1(self._logs(x, t)[3])


def _good_candidates(problem: Problem, leaf: Leaf) -> Tensor | None:
    """The good candidate of each binary of the leaf (row · candidates + candidate, as the layout counts), or None.

    None for other steps, for more than two outcomes in a row, and for a best configuration that mixes them in a row.
    """
    layout = leaf.layout
    if layout.kind != "choose" or not layout.size:
        return None
    classes: Tensor = layout.classes
    n_rows = len(classes)
    low, high = classes.amin(1, keepdim=True), classes.amax(1, keepdim=True)
    if not bool(((classes == low) | (classes == high)).all()):
        return None
    row: Tensor = layout.row_of
    good = torch.where(problem.best[leaf.start : leaf.stop], layout.beats, layout.beaten)
    is_high = (classes == high).reshape(-1)[good].double()
    share = is_high.new_zeros(n_rows).index_add_(0, row, is_high) / torch.bincount(row, minlength=n_rows)
    return None if bool(((share > 0) & (share < 1)).any()) else good


class Summed:
    """Σ weight · exp(log) of tensors, kept relative to the largest exponent met, so that not all of it underflows."""

    def __init__(self) -> None:
        self._top: Tensor | None = None
        self._sum: Tensor | None = None

    def add(self, weight: Tensor, log: Tensor) -> None:
        """Add one term of the sum."""
        top = torch.where(weight != 0, log, -math.inf).amax()
        top = torch.where(torch.isfinite(top), top, -1e300)
        if self._top is None or self._sum is None:
            self._top, self._sum = top, torch.zeros_like(log)
        higher = torch.maximum(self._top, top)
        self._sum = self._sum * torch.exp(self._top - higher) + weight * torch.exp((log - higher).clamp(max=0))
        self._top = higher

    @property
    def top(self) -> Tensor:
        """The exponent the sum is kept relative to."""
        assert self._top is not None
        return self._top

    def relative(self) -> Tensor:
        """The sum / exp(top)."""
        assert self._sum is not None
        return self._sum

    def absolute(self) -> Tensor:
        """The sum."""
        return self.relative() * torch.exp(self.top)

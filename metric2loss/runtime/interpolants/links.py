"""From the credit of each binary to a gradient: the annealed link per pair, and the anchored one per example.

The link is (1 − u) u^p for a credit that says "up": logistic at progress p = 0, the derivative of the sigmoid at p = 1.
Small p moves far-off pairs, large p lets the lost ones go.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from metric2loss.runtime.factored import Leaf, Problem
from metric2loss.runtime.split import Split

MIDDLE = 0.5  # p, unless asked for another


@contextmanager
def annealed(problem: Problem, first: float, last: float) -> Iterator[None]:
    """Inside, the problem's progress is the p of links and paths, which goes from `first` to `last` in a training."""
    given = problem.progress
    problem.progress = first + (last - first) * given
    try:
        yield
    finally:
        problem.progress = given


def link(x: Tensor, progress: float) -> Tensor:
    """(1 − u) u^p for u = sigmoid(x)."""
    return torch.sigmoid(-x) * torch.sigmoid(x) ** progress


def of_pairs(problem: Problem, x: Tensor, credit: Tensor, progress: float) -> Tensor:
    """dL/dc from the credit and the oriented differences x; a negative credit swaps u and 1 − u."""
    uphill = credit * link(torch.where(credit >= 0, x, -x), progress) / problem.temperature
    return torch.where(problem.best, -uphill, uphill)


def anchored(split: Split, credit: Tensor, progress: float) -> Tensor:
    """dL/dkeys of one order over the batch, from the credit [goods, bads]; see `Sides.anchored`."""
    share = credit.clamp(min=0)
    up, down = share.sum(1), share.sum(0)
    total = up.sum()
    if float(total) == 0:
        up, down = torch.ones_like(up), torch.ones_like(down)
        total = torch.tensor(float(credit.numel()), dtype=up.dtype, device=up.device)
    winners, losers = credit.shape
    per_example = 2 * total / (winners + losers)
    up, down = up * (per_example * winners / up.sum()), down * (per_example * losers / down.sum())
    return split.gradient(
        (up * link(split.of_good[0], progress)).unsqueeze(0), (down * link(-split.of_bad[0], progress)).unsqueeze(0)
    )


@dataclass(frozen=True)
class Sides:
    """An order over one pool of examples in which the best configuration has each example only win or only lose."""

    leaf: Leaf
    winner: Tensor
    loser: Tensor

    @classmethod
    def read(cls, problem: Problem, leaf: Leaf) -> Sides | None:
        """The two sides of the leaf, or None: not an order, several rows, a mean over rows, or more than two sides."""
        layout = leaf.layout
        if layout.kind != "order" or layout.n_rows != 1 or problem.row_of is not None or not layout.size:
            return None
        best = problem.best[leaf.start : leaf.stop]
        winner = torch.where(best, layout.ahead, layout.behind)
        loser = torch.where(best, layout.behind, layout.ahead)
        wins = torch.zeros(layout.keys.numel(), dtype=torch.bool, device=best.device).index_fill_(0, winner, True)
        return None if bool(wins[loser].any()) else cls(leaf, winner, loser)

    def anchored(self, problem: Problem, credit: Tensor, progress: float) -> Tensor:
        """dL/dS of the examples' keys S: the metric splits the pull inside each side, a threshold anchors the sides."""
        share = credit[self.leaf.start : self.leaf.stop].clamp(min=0)
        keys = self.leaf.layout.keys.detach().double().reshape(-1) / problem.temperature
        up = torch.zeros_like(keys).index_add_(0, self.winner, share)
        down = torch.zeros_like(keys).index_add_(0, self.loser, share)
        if float(share.sum()) == 0:  # nothing to split: every pair counts alike
            up = torch.bincount(self.winner, minlength=len(keys)).double()
            down = torch.bincount(self.loser, minlength=len(keys)).double()
        winners = len(torch.unique(self.winner))
        losers = len(torch.unique(self.loser))
        total = up.sum()  # = down.sum(): both are sums over the same binaries
        per_example = 2 * total / (winners + losers)
        up, down = up * per_example * winners / total, down * per_example * losers / total
        return (down * link(-keys, progress) - up * link(keys, progress)) / problem.temperature

"""Inverse distance weighting for an order of very many pairs, without listing them: two passes over blocks of them.

The anchors are those of `anchors`, but for the random ones: binary (i, j) is r_i xor R_j with fair r and R, so every
binary is fair and any two are independent, and sums over all of them are matrix products.  Memory is that of a block.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from metric2loss.runtime.factored import Problem, drawn
from metric2loss.runtime.split import Split

LARGE = 2**18  # pairs from which on this is faster than listing them


def fits(problem: Problem, split: Split) -> bool:
    """Whether the pairs are those of one order over the whole batch, and many."""
    layout = problem.leaves[0].layout
    return bool(layout.kind == "order" and layout.n_rows == 1 == problem.n_rows and split.pairs > LARGE)


@dataclass(frozen=True)
class Flips:
    """One pair an anchor, (goods[a], bads[a]), and whether the base has the good item ahead there."""

    goods: Tensor
    bads: Tensor
    agrees: Tensor


class Pairs:
    """The anchors of one batch: best, good (best with a flip), near (current with a flip), random."""

    def __init__(self, problem: Problem, split: Split, count: int) -> None:
        self.split, self.layout = split, problem.leaves[0].layout
        ranks = problem.recorded[0].ranks.reshape(-1)  # type: ignore[attr-defined]
        assert split.bad is not None
        self.good, self.bad = split.good[0], split.bad[0]
        self.place_g, self.place_b = ranks[self.good], ranks[self.bad]
        by_place = torch.sort(self.place_b)
        self.behind = torch.searchsorted(by_place[0], self.place_g)  # bads ahead of each good item
        self.ahead = torch.searchsorted(torch.sort(self.place_g)[0], self.place_b)  # goods ahead of each bad one
        n, m = len(self.good), len(self.bad)
        lots = drawn(problem, 4, count)
        g, b = (lots[0] * n).long().clamp(max=n - 1), (lots[1] * m).long().clamp(max=m - 1)
        self.best = Flips(g, b, torch.ones_like(g, dtype=torch.bool))
        self.current = self._wrong(lots[2].double(), g, b, by_place[1])
        self.r = (drawn(problem, n, count) < 0.5).to(split.values)
        self.R = (drawn(problem, m, count) < 0.5).to(split.values)

    def _wrong(self, lots: Tensor, g: Tensor, b: Tensor, by_place: Tensor) -> Flips:
        """Wrong pairs of the current order, all equally likely; any pair where none is wrong."""
        ends = self.behind.cumsum(0)
        total = int(ends[-1])
        if not total:
            return Flips(g, b, torch.ones_like(g, dtype=torch.bool))
        chosen = (lots * total).long().clamp(max=total - 1)
        good = torch.searchsorted(ends, chosen, right=True)
        bad = by_place[chosen - (ends[good] - self.behind[good])]
        return Flips(good, bad, torch.zeros_like(good, dtype=torch.bool))

    def outcomes(self) -> Tensor:
        """All anchors as outcomes of the order, [1 + 3 · count, n]."""
        count, n, m = self.r.shape[1], len(self.good), len(self.bad)
        zero = torch.zeros(n + m, dtype=torch.long, device=self.good.device)
        zero[n:] = n
        now = torch.cat([self.behind, self.ahead])
        found = torch.stack([zero] * (1 + count) + [now] * count)
        for start, flips in ((1, self.best), (1 + count, self.current)):
            rows = torch.arange(start, start + count, device=zero.device)
            change = torch.where(flips.agrees, 1, -1)
            found[rows, flips.goods] += change
            found[rows, n + flips.bads] -= change
        ones_b, ones_g = self.R.sum(0), self.r.sum(0)
        wins = torch.where(self.r > 0, m - ones_b, ones_b)
        lost = torch.where(self.R > 0, n - ones_g, ones_g)
        random = torch.cat([m - wins, lost]).round().long().T
        counts = torch.cat([found, random])
        if not bool((self.split.winners == self.layout.low).all()):
            counts = counts.roll(m, 1)  # the class that sorts first stands first
        return self.layout.permutations(counts.unsqueeze(1))  # type: ignore[no-any-return]

    def u_of(self, flips: Flips) -> Tensor:
        """Relaxed binaries of the flipped pairs."""
        x = self.split.of_good[0][flips.goods] - self.split.of_bad[0][flips.bads]
        return torch.sigmoid(x).double()

    def squares(self) -> Tensor:
        """Squared distances from the relaxed binaries to the anchors, [1 + 3 · count]."""
        plain, squared, mine = 0.0, 0.0, 0.0
        random = torch.zeros(self.r.shape[1], dtype=torch.double, device=self.r.device)
        for block in self.split.blocks():
            u = block.x[0].sigmoid_()
            plain += float(u.sum())
            squared += float(torch.dot(u.view(-1), u.view(-1)))
            slope = u.mul_(-2).add_(1)
            r = self.r[block.goods]
            part = slope @ self.R
            random += (torch.where(r > 0, slope.sum(1, keepdim=True) - part, part)).sum(0).double()
            mine += float(slope.mul_(self._current(block.goods)).sum())
        best = self.split.pairs - 2 * plain + squared
        flips = [
            base + (2 * self.u_of(f) - 1) * (2 * f.agrees.double() - 1)
            for base, f in self._around(best, squared + mine)
        ]
        return torch.cat([torch.full_like(flips[0][:1], best), *flips, squared + random]).clamp(min=0)

    def _around(self, best: float, current: float) -> tuple[tuple[float, Flips], tuple[float, Flips]]:
        return (best, self.best), (current, self.current)

    def _current(self, goods: slice) -> Tensor:
        """1.0 where the good item is ahead now."""
        return torch.lt(self.place_g[goods].unsqueeze(1).int(), self.place_b.int()).to(self.r)

    def gradient(self, slopes: Tensor) -> tuple[Tensor, Tensor]:
        """Σ_a s_a (u − a) u (1 − u), summed over the bad and over the good items."""
        count = self.r.shape[1]
        s = slopes.to(self.r)
        at_best, at_current, at_random = s[: 1 + count].sum(), s[1 + count : 1 + 2 * count].sum(), s[1 + 2 * count :]
        ups, downs = torch.zeros_like(self.split.of_good[0]), torch.zeros_like(self.split.of_bad[0])
        turned = (at_random * (1 - 2 * self.r), (self.r * at_random).sum(1) + at_best)
        for block in self.split.blocks():
            u = block.x[0].sigmoid_()
            found = torch.addmm(turned[1][block.goods].unsqueeze(1), turned[0][block.goods], self.R.T)
            found.add_(self._current(block.goods).mul_(at_current)).neg_().add_(u, alpha=float(s.sum()))
            found.mul_(u.addcmul_(u, u, value=-1))
            ups[block.goods] += found.sum(1)
            downs += found.sum(0)
        for start, flips in ((1, self.best), (1 + count, self.current)):
            u = self.u_of(flips).to(s)
            change = s[start : start + count] * torch.where(flips.agrees, 1.0, -1.0).to(s) * u * (1 - u)
            ups.index_add_(0, flips.goods, change)
            downs.index_add_(0, flips.bads, change)
        return ups, downs


def interpolated(problem: Any, split: Split, count: int, power: float, weighted: Any) -> tuple[Tensor, Tensor]:
    """The interpolated metric (0-d) and its derivative by the keys."""
    pairs = Pairs(problem, split, count)
    values = problem.values_at(pairs.outcomes()).double().reshape(-1, 1)
    at, slopes = weighted(values, pairs.squares().reshape(-1, 1), power)
    ups, downs = pairs.gradient(slopes.reshape(-1))
    return at.mean(), split.gradient(-ups.unsqueeze(0), -downs.unsqueeze(0))

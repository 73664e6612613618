"""Integrated credit of all pairs of a two-class order, from exact values of g at adjacent swaps.

A configuration drawn binary by binary is no ranking: good item i has c_i bad ones ahead, and its position is c_i plus its
place among the good ones; positions within a class are distinct.  Flipping the pair (i, j) moves one good and one bad item
by one position.  A move past an item of the other class swaps two neighbours of the sequence of classes, and a flip is
either one such swap or two disjoint ones.  So D_ij = A_i + C_j, apart from pairs that swap with each other, and at most one
evaluation of g a place gives every pair.  It holds for metrics in which disjoint swaps add up (average precision, AUC, DCG,
precision and recall at k); that is checked at every batch, on swaps drawn at random.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metric2loss.runtime.factored import Problem, drawn
from metric2loss.runtime.interpolants.credit import SAMPLES, stratified
from metric2loss.runtime.split import Split

Ints = np.ndarray
_CHECKS = 8
MOST = 2**22  # pairs that are drawn one by one


def fits(problem: Problem, split: Split) -> bool:
    """Whether the pairs are those of one order over the whole batch."""
    layout = problem.leaves[0].layout
    return bool(layout.kind == "order" and layout.n_rows == 1 == problem.n_rows and 0 < split.pairs <= MOST)


@dataclass(frozen=True)
class Side:
    """The items of one class: `group` of items with equal counts, and the positions of a group's first and last item."""

    group: Ints
    first: Ints
    last: Ints
    sizes: Ints
    members: Ints  # items, group by group

    @classmethod
    def of(cls, count: Ints) -> Side:
        values, group, sizes = np.unique(count, return_inverse=True, return_counts=True)
        ends = np.cumsum(sizes)
        members = np.argsort(group, kind="stable")
        return cls(group, values + ends - sizes, values + ends - 1, sizes, members)

    def positions(self) -> Ints:
        """Positions of the items in order of their counts."""
        start = np.repeat(self.first - (np.cumsum(self.sizes) - self.sizes), self.sizes)
        return start + np.arange(len(self.group))


class Drawn:
    """One configuration: who agrees with the best one, and the sequence of classes it makes."""

    def __init__(self, agrees: Tensor, good_first: bool) -> None:
        self.agrees = agrees  # [goods, bads], 1.0 where the good item is ahead
        goods, bads = agrees.shape
        ahead = agrees.sum(1).round_().long().cpu().numpy()
        self.good, self.bad = Side.of(bads - ahead), Side.of(agrees.sum(0).round_().long().cpu().numpy())
        self.good_first = good_first
        places = [self.good.positions(), self.bad.positions()]
        self.occupied = [_occupied(x, goods + bads) for x in places]
        keys = np.concatenate([2 * places[0] + (not good_first), 2 * places[1] + good_first])
        order = np.argsort(keys.astype(np.int16 if keys.max() < 2**15 else np.int64), kind="stable")
        members = np.concatenate([self.good.members, self.bad.members + goods])
        self.sequence = members[order]  # items at each place: good ones from 0, bad ones from `goods`
        self.is_good = order < goods
        at = np.empty(len(order), dtype=np.int64)
        at[order] = np.arange(len(order))
        self.place = at[:goods], at[goods:]  # of the members, group by group

    def swaps(self) -> Ints:
        """Places s whose item is of another class than that at s + 1."""
        return np.flatnonzero(self.is_good[:-1] != self.is_good[1:])

    def credit(self, worth: Ints) -> Tensor:
        """What setting each binary right rather than wrong is worth, [goods, bads], from g(swapped) − g of each place."""
        lost, gained = self._moved(worth, True), self._moved(worth, False)
        a, c = (torch.from_numpy(x).to(self.agrees) for x in lost[:2])
        a_, c_ = (torch.from_numpy(x).to(self.agrees) for x in gained[:2])
        both = (a + a_).unsqueeze(1) + (c + c_)
        found = (a_.unsqueeze(1) + c_).sub_(both.mul_(self.agrees))
        for (_, _, rows, columns, change), held in ((lost, 1.0), (gained, 0.0)):
            if len(rows):
                at = torch.from_numpy(rows * self.agrees.shape[1] + columns).to(self.agrees.device)
                flat = self.agrees.reshape(-1)[at]
                mine = torch.from_numpy(change).to(self.agrees) * (flat == held)
                found.view(-1).index_add_(0, at, -mine if held else mine)
        return found

    def _moved(self, worth: Ints, down: bool) -> tuple[Ints, Ints, Ints, Ints, Ints]:
        """g's change when the good item of a pair goes back by one and the bad one forward (or, not `down`, the reverse).

        The share of each good and of each bad item, and corrections (rows, columns, change) of pairs that swap together.
        """
        back, forward = (self.good, self.bad) if down else (self.bad, self.good)
        taken_b, taken_f = self.occupied[down], self.occupied[not down]  # by the class that each may swap with
        tie = int(self.good_first != down)
        p, q = back.last, forward.first
        starts = [np.cumsum(side.sizes) - side.sizes for side in (back, forward)]
        place_b = self.place[not down][starts[0] + back.sizes - 1]
        place_f = self.place[down][starts[1]]
        own_b = np.where(taken_b[p + tie + 1], worth[np.minimum(place_b, len(worth) - 1)], 0.0)
        own_f = np.where(taken_f[q - tie + 1], worth[np.maximum(place_f - 1, 0)], 0.0)
        pairs = []
        for apart in (tie, tie + 1):
            _, one, other = np.intersect1d(p + apart, q, assume_unique=True, return_indices=True)
            if len(one):
                value = worth[np.minimum(place_b[one], len(worth) - 1)]
                listed = _pairs(back, forward, starts, one, other)
                pairs.append((*listed[:2], np.repeat(value - own_b[one] - own_f[other], listed[2])))
        empty = np.zeros(0, dtype=np.int64)
        b, f, change = (np.concatenate(x) for x in zip(*pairs)) if pairs else (empty, empty, np.zeros(0))
        shares = own_b[back.group], own_f[forward.group]
        return (*shares, b, f, change) if down else (shares[1], shares[0], f, b, change)


def _occupied(positions: Ints, n: int) -> Ints:
    """Whether position k − 1 is taken, at k."""
    found = np.zeros(2 * n + 4, dtype=bool)
    found[positions + 1] = True
    return found


def _pairs(back: Side, forward: Side, starts: list[Ints], one: Ints, other: Ints) -> tuple[Ints, Ints, Ints]:
    """All pairs of members of the given pairs of groups, and how many each pair of groups has."""
    wide = forward.sizes[other]
    amount = back.sizes[one] * wide
    of = np.repeat(np.arange(len(one)), amount)
    within = np.arange(len(of)) - np.repeat(np.cumsum(amount) - amount, amount)
    b = back.members[starts[0][one][of] + within // wide[of]]
    f = forward.members[starts[1][other][of] + within % wide[of]]
    return b, f, amount


def credit(problem: Problem, split: Split, budget: int) -> tuple[Tensor, float] | None:
    """The credit [goods, bads] and the share of the swaps evaluated for it; None where disjoint swaps do not add up."""
    layout = problem.leaves[0].layout
    x = split.of_good[0].unsqueeze(1) - split.of_bad[0]
    u = torch.sigmoid(x.clamp_(-80, 80))
    low = bool((split.winners == layout.low).all())
    draws = [Drawn(_agreeing(problem, u, t), low) for t in stratified(problem, problem.progress)]
    items = torch.cat([split.good[0], split.bad[0]])  # type: ignore[index]
    bases = np.stack([draw.sequence for draw in draws])
    swaps = [draw.swaps() for draw in draws]
    rows = np.concatenate([np.stack([np.full(len(s), k), s], 1) for k, s in enumerate(swaps)])
    lots = np.random.default_rng(int(torch.randint(2**31, (1,), generator=problem.generator)))
    chance = _chances(swaps, max(16, budget // max(bases.shape[1], problem.run_cost)))
    taken = slice(None) if chance is None else lots.random(len(rows)) < chance
    kept, weight = rows[taken], 1.0 if chance is None else 1 / chance[taken]
    share = len(kept) / max(len(rows), 1)
    tests = _tests(lots, kept)
    values = problem.sign * problem.values_at(_outcomes(layout, items, bases, kept, tests)).cpu().numpy()  # type: ignore[attr-defined]
    base, single, double = np.split(np.nan_to_num(values), [len(bases), len(bases) + len(kept)])
    change = single - base[kept[:, 0]]
    if len(tests):
        expected = base[kept[tests[:, 0], 0]] + change[tests[:, 0]] + change[tests[:, 1]]
        if not np.allclose(double, expected, rtol=0, atol=1e-7 * max(1.0, float(np.abs(base).max()))):
            return None
    worth = np.zeros(bases.shape)
    worth[kept[:, 0], kept[:, 1]] = change * weight / SAMPLES
    total = draws[0].credit(worth[0])
    for draw, mine in zip(draws[1:], worth[1:], strict=True):
        total += draw.credit(mine)
    return total, share


def _chances(swaps: list[Ints], most: int) -> Ints | None:
    """The chance of each swap to be evaluated, so that about `most` are; None when all are.

    Half of them evenly, half with a chance that falls as 1 / place: what most metrics of rankings heed is at the top.
    """
    amount = sum(len(s) for s in swaps)
    if amount <= most:
        return None
    turn = np.concatenate([np.arange(1, len(s) + 1) for s in swaps])
    top = 1 / turn
    chances: Ints = np.minimum(1.0, most / 2 / amount + top * (most / 2 / top.sum()))
    return chances


def _agreeing(problem: Problem, u: Tensor, t: float) -> Tensor:
    """1.0 where a binary drawn at t of the way agrees with the best configuration."""
    if u.device.type != "cpu" or u.numel() % 4:
        lots = drawn(problem, *u.shape).to(u)
    else:  # four numbers of 16 bits from each draw; the shared rest makes each exactly uniform
        words = torch.empty(u.numel() // 4, dtype=torch.int64).random_(-(2**63), None, generator=problem.generator)
        lots = (
            words.view(torch.int16).to(u.dtype).add_(2.0**15 + float(drawn(problem, 1))).mul_(2.0**-16).reshape(u.shape)
        )
    return lots.sub_(torch.add(torch.tensor(t, dtype=u.dtype), u, alpha=1 - t)).lt_(0)


def _tests(lots: np.random.Generator, kept: Ints) -> Ints:
    """Pairs of disjoint swaps of the same draw, as rows of `kept`."""
    if len(kept) < 2:
        return np.zeros((0, 2), dtype=np.int64)
    found = lots.integers(len(kept), size=(4 * _CHECKS, 2))
    first, second = kept[found[:, 0]], kept[found[:, 1]]
    apart = np.abs(first[:, 1] - second[:, 1]) > 1
    disjoint: Ints = found[(first[:, 0] == second[:, 0]) & apart]
    return disjoint[:_CHECKS]


def _outcomes(layout: Any, items: Tensor, bases: Ints, kept: Ints, tests: Ints) -> Tensor:
    """The bases, each swap alone, and the pairs of swaps to be checked, as outcomes of the order."""
    start = items[torch.from_numpy(bases).to(items.device)]
    of = np.concatenate([np.arange(len(bases)), kept[:, 0], kept[tests[:, 0], 0]])
    place = np.concatenate([kept[:, 1], kept[tests[:, 0], 1]])
    found = start[torch.from_numpy(of).to(items.device)]
    _swapped(found, len(bases), place)
    _swapped(found, len(bases) + len(kept), kept[tests[:, 1], 1])
    return layout.placed(found.unsqueeze(1))  # type: ignore[no-any-return]


def _swapped(sequences: Tensor, start: int, place: Ints) -> None:
    """Exchange the entries at `place` and the next one in the rows from `start` on."""
    rows = torch.arange(start, start + len(place), device=sequences.device)
    at = torch.from_numpy(place).to(sequences.device)
    one, other = sequences[rows, at], sequences[rows, at + 1]
    sequences[rows, at], sequences[rows, at + 1] = other, one

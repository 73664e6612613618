"""Integrated credit of all pairs of a two-class order, from exact values of g at adjacent swaps.

A configuration drawn binary by binary is no ranking: good item i has c_i bad ones ahead, and its position is c_i plus its
place among the good ones; positions within a class are distinct.  Flipping the pair (i, j) moves one good and one bad item
by one position.  A move past an item of the other class swaps two neighbours of the sequence of classes, and a flip is
either one such swap or two disjoint ones.  So D_ij = A_i + C_j, apart from pairs that swap with each other, and at most one
evaluation of g a place gives every pair.  It holds for metrics in which disjoint swaps add up (average precision, AUC, DCG,
precision and recall at k); that is checked at every batch, on swaps drawn at random.  Where every swap changes g by the same
amount (AUC), the metric counts right pairs, and each is worth that amount whatever the configuration.
"""

from __future__ import annotations

from collections.abc import Sequence
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
# multiples of 2^32 over the plastic number and over its square fill a square evenly
_SPREAD = np.arange(1, 4 * _CHECKS + 1).reshape(-1, 1) * np.array([3242174889, 2447445414])
SMALL = 2**16  # pairs of which all configurations are drawn at once: calls cost more than numbers
PASSES = 6  # numbers that an evaluation is reckoned at, for each item
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
    starts: Ints  # where a group begins among `members`
    members: Ints  # items, group by group

    @classmethod
    def of(cls, count: Ints) -> Side:
        members = argsorted(count)
        ordered = count[members]
        new = np.empty(len(count), dtype=bool)
        new[:1], new[1:] = True, ordered[1:] != ordered[:-1]
        starts = np.flatnonzero(new)
        ends = np.append(starts[1:], len(count))
        group = np.empty_like(members)
        group[members] = new.cumsum() - 1
        values = ordered[starts]
        return cls(group, values + starts, values + ends - 1, ends - starts, starts, members)

    def positions(self) -> Ints:
        """Positions of the items in order of their counts."""
        return np.repeat(self.first - self.starts, self.sizes) + np.arange(len(self.group))


class Draws:
    """Some configurations: who agrees with the best one, and the sequence of classes each makes.

    They stand one after the other, apart enough that no item swaps with one of another configuration: positions, places
    and items of the d-th are those of the first, moved by d times the width, the length, and the number of items.
    """

    def __init__(self, agrees: Sequence[Tensor], good_first: bool) -> None:
        self.agrees = agrees  # of [some, goods, bads], 1.0 where the good item is ahead
        self.goods, self.bads = agrees[0].shape[1:]
        self.length = n = self.goods + self.bads
        ahead = np.concatenate([part.sum(2).round_().int().cpu().numpy() for part in agrees])
        behind = np.concatenate([part.sum(1).round_().int().cpu().numpy() for part in agrees])
        self.amount, width = len(ahead), n + 4
        apart = np.arange(self.amount).reshape(-1, 1)
        self.good = Side.of((self.bads - ahead + apart * (width - self.goods)).reshape(-1))
        self.bad = Side.of((behind + apart * (width - self.bads)).reshape(-1))
        self.good_first = good_first
        places = [self.good.positions(), self.bad.positions()]
        self.occupied = [_occupied(x, self.amount * width) for x in places]
        order = argsorted(np.concatenate([2 * places[0] + (not good_first), 2 * places[1] + good_first]))
        members = np.concatenate([self.good.members % self.goods, self.bad.members % self.bads + self.goods])
        self.sequence = members[order].reshape(self.amount, n)  # items at each place: good ones from 0, then bad ones
        self.is_good = order < self.amount * self.goods
        at = np.empty_like(order)
        at[order] = np.arange(len(order))
        self.place = at[: self.amount * self.goods], at[self.amount * self.goods :]  # of the members, group by group

    @classmethod
    def on(cls, problem: Problem, split: Split, lower: Tensor, path: list[float]) -> Draws:
        """One configuration at each t of the path; `lower` are the items that stand first where positions are equal."""
        x = split.of_good[0].unsqueeze(1) - split.of_bad[0]
        u = torch.sigmoid(x.clamp_(-80, 80))
        step = len(path) if u.numel() <= SMALL else 1
        agrees = [agreeing(problem, u, path[k : k + step]) for k in range(0, len(path), step)]
        return cls(agrees, split.winners is lower or torch.equal(split.winners, lower))

    def every(self, worth: float) -> Tensor:
        """The same credit for every pair, [goods, bads]."""
        return self.agrees[0].new_full((self.goods, self.bads), worth)

    def swaps(self) -> Ints:
        """Places s, [swaps, 2] of configuration and place, whose item is of another class than that at s + 1."""
        of_good = self.is_good.reshape(self.amount, -1)
        return np.argwhere(of_good[:, :-1] != of_good[:, 1:])

    def credit(self, worth: Ints) -> Tensor:
        """What setting each binary right rather than wrong is worth, [goods, bads], from g(swapped) − g of each place.

        The sum over the configurations; `worth` [configurations, length].
        """
        flat = worth.reshape(-1)
        lost, gained = self._moved(flat, True), self._moved(flat, False)
        a, c = (up.reshape(self.amount, -1) for up in gained[:2])
        total = self._given(a.sum(0)).unsqueeze(1) + self._given(c.sum(0))
        both_a = self._given(a + lost[0].reshape(a.shape)).unsqueeze(2)
        both_c = self._given(c + lost[1].reshape(c.shape)).unsqueeze(1)
        done = 0
        for part in self.agrees:
            mine = slice(done, done + len(part))
            done += len(part)
            total.sub_((both_a[mine] + both_c[mine]).mul_(part).sum(0))
        rows, columns = (np.concatenate(both) for both in zip(lost[2:4], gained[2:4]))
        if len(rows):
            self._correct(total, rows, columns, np.concatenate([-lost[4], gained[4]]), len(lost[2]))
        return total

    def _given(self, numbers: Ints) -> Tensor:
        return torch.from_numpy(numbers).to(self.agrees[0])

    def _correct(self, total: Tensor, rows: Ints, columns: Ints, change: Ints, lost: int) -> None:
        """Add the change of pairs that swap together, of the first `lost` where their binary agrees, else where it does not."""
        of, at = rows // self.goods, rows % self.goods * self.bads + columns % self.bads
        held = np.arange(len(rows)) < lost
        for part in self.agrees:
            mine = slice(None) if len(part) == self.amount else (of < len(part)) & (of >= 0)
            found = part.reshape(-1)[torch.from_numpy((of * self.goods * self.bads + at)[mine]).to(part.device)]
            added = self._given(change[mine]) * (found == self._given(held[mine]))
            total.view(-1).index_add_(0, torch.from_numpy(at[mine]).to(part.device), added)
            of = of - len(part)

    def _moved(self, worth: Ints, down: bool) -> tuple[Ints, Ints, Ints, Ints, Ints]:
        """g's change when the good item of a pair goes back by one and the bad one forward (or, not `down`, the reverse).

        The share of each good and of each bad item, and corrections (rows, columns, change) of pairs that swap together.
        """
        back, forward = (self.good, self.bad) if down else (self.bad, self.good)
        taken_b, taken_f = self.occupied[down], self.occupied[not down]  # by the class that each may swap with
        tie = int(self.good_first != down)
        p, q = back.last, forward.first
        place_b = self.place[not down][back.starts + back.sizes - 1]
        place_f = self.place[down][forward.starts]
        own_b = np.where(taken_b[p + tie + 1], worth[np.minimum(place_b, len(worth) - 1)], 0.0)
        own_f = np.where(taken_f[q - tie + 1], worth[np.maximum(place_f - 1, 0)], 0.0)
        at = np.full(len(taken_b) + 2, -1)
        at[q] = np.arange(len(q))
        one, other = [], []
        for apart in (tie, tie + 1):
            met = at[p + apart]
            one.append(np.flatnonzero(met >= 0))
            other.append(met[one[-1]])
        first, second = np.concatenate(one), np.concatenate(other)
        b, f, amount = _pairs(back, forward, first, second)
        change = worth[np.minimum(place_b[first], len(worth) - 1)] - own_b[first] - own_f[second]
        found = own_b[back.group], own_f[forward.group]
        changes = np.repeat(change, amount)
        return (*found, b, f, changes) if down else (found[1], found[0], f, b, changes)


def argsorted(numbers: Ints) -> Ints:
    """Stable argsort of integers >= 0; small ones by radix."""
    small = len(numbers) > 0 and numbers.max() < 2**15
    return np.argsort(numbers.astype(np.int16) if small else numbers, kind="stable")


def _occupied(positions: Ints, n: int) -> Ints:
    """Whether position k − 1 is taken, at k."""
    found = np.zeros(n + 4, dtype=bool)
    found[positions + 1] = True
    return found


def _pairs(back: Side, forward: Side, one: Ints, other: Ints) -> tuple[Ints, Ints, Ints]:
    """All pairs of members of the given pairs of groups, and how many each pair of groups has."""
    wide = forward.sizes[other]
    amount = back.sizes[one] * wide
    of = np.repeat(np.arange(len(one)), amount)
    within = np.arange(len(of)) - np.repeat(np.cumsum(amount) - amount, amount)
    b = back.members[back.starts[one][of] + within // wide[of]]
    f = forward.members[forward.starts[other][of] + within % wide[of]]
    return b, f, amount


def credit(problem: Problem, split: Split, budget: int) -> tuple[Tensor, float] | None:
    """The credit [goods, bads] and the share of the swaps evaluated for it; None where disjoint swaps do not add up."""
    layout = problem.leaves[0].layout
    draws = Draws.on(problem, split, layout.low, stratified(problem, problem.progress))
    items = torch.cat([split.good[0], split.bad[0]])  # type: ignore[index]
    bases, rows = draws.sequence, draws.swaps()
    seed = int(torch.randint(2**31, (1,), generator=problem.generator))
    price = max(PASSES * draws.length, problem.own_cost)  # type: ignore[attr-defined]
    chance = chances(rows[:, 0], max(16, budget // price))
    taken = slice(None) if chance is None else np.random.default_rng(seed).random(len(rows)) < chance
    kept, weight = rows[taken], 1.0 if chance is None else 1 / chance[taken]
    share = len(kept) / max(len(rows), 1)
    tests = checked(seed, kept)
    values = problem.sign * problem.values_at(_outcomes(layout, items, bases, kept, tests)).cpu().numpy()  # type: ignore[attr-defined]
    base, single, double = values[: len(bases)], values[len(bases) :][: len(kept)], values[len(bases) + len(kept) :]
    change = single - base[kept[:, 0]]
    if not add_up(base, change, double, kept, tests):
        return None
    if (alike := all_alike(change, draws.is_good.reshape(bases.shape)[kept[:, 0], kept[:, 1]])) is not None:
        return draws.every(alike), share
    worth = np.zeros(bases.shape)
    worth[kept[:, 0], kept[:, 1]] = change * weight / SAMPLES
    return draws.credit(worth), share


def add_up(base: Ints, change: Ints, double: Ints, kept: Ints, tests: Ints) -> bool:
    """Whether g at both swaps of each test is g at the base, changed by the one and by the other."""
    if not len(tests):
        return True
    expected = base[kept[tests[:, 0], 0]] + change[tests[:, 0]] + change[tests[:, 1]]
    return bool(np.abs(double - expected).max() <= 1e-7 * max(1.0, float(np.abs(base).max())))


def all_alike(change: Ints, sinks: Ints) -> float | None:
    """What every swap changes g by when the good item rises, the same when it `sinks` in sign; None if they differ."""
    rise = np.where(sinks, -change, change)
    if len(rise) < _CHECKS or rise[0] <= 0 or np.ptp(rise) > 1e-7 * rise[0]:
        return None
    return float(rise[0])


def chances(of: Ints, most: int) -> Ints | None:
    """The chance of each swap (of a configuration, in order) to be evaluated, so that about `most` are; None when all are.

    Half of them evenly, half with a chance that falls as 1 / place: what most metrics of rankings heed is at the top.
    """
    amount = len(of)
    if amount <= most:
        return None
    top = 1 / (1 + np.arange(amount) - np.searchsorted(of, of))
    found: Ints = np.minimum(1.0, most / 2 / amount + top * (most / 2 / top.sum()))
    return found


def agreeing(problem: Problem, u: Tensor, path: list[float]) -> Tensor:
    """1.0 where a binary drawn at t of the way agrees with the best configuration, [t, goods, bads]."""
    shape = (len(path), *u.shape)
    if u.device.type != "cpu" or u.numel() % 4:
        lots = drawn(problem, *shape).to(u)
    else:  # four numbers of 16 bits from each draw; the shared rest makes each exactly uniform
        words = torch.empty(len(path) * u.numel() // 4, dtype=torch.int64)
        words.random_(-(2**63), None, generator=problem.generator)
        rest = 2.0**15 + float(drawn(problem, 1))
        lots = words.view(torch.int16).to(u.dtype).add_(rest).mul_(2.0**-16).reshape(shape)
    t = torch.tensor(path, dtype=u.dtype, device=u.device).reshape(-1, 1, 1)
    return lots.sub_(torch.lerp(u, torch.ones_like(t), t)).lt_(0)


def checked(seed: int, kept: Ints) -> Ints:
    """Pairs of disjoint swaps of the same draw, as rows of `kept`: of each pair of a low-discrepancy sequence that is one."""
    if len(kept) < 2:
        return np.zeros((0, 2), dtype=np.int64)
    found = ((seed + _SPREAD) % 2**32 * len(kept)) // 2**32
    first, second = kept[found[:, 0]], kept[found[:, 1]]
    apart = np.abs(first[:, 1] - second[:, 1]) > 1
    disjoint: Ints = found[(first[:, 0] == second[:, 0]) & apart]
    return disjoint[:_CHECKS]


def _outcomes(layout: Any, items: Tensor, bases: Ints, kept: Ints, tests: Ints) -> Tensor:
    """The bases, each swap alone, and the pairs of swaps to be checked, as outcomes of the order."""
    start = items[torch.from_numpy(bases).to(items.device)]
    of = np.concatenate([np.arange(len(bases)), kept[:, 0], kept[tests[:, 0], 0]])
    place = np.concatenate([kept[:, 1], kept[tests[:, 0], 1]])
    found = start.index_select(0, torch.from_numpy(of).to(items.device))
    exchange(found, np.arange(len(bases), len(found)), place)
    exchange(found, np.arange(len(bases) + len(kept), len(found)), kept[tests[:, 1], 1])
    return layout.placed(found.unsqueeze(1))  # type: ignore[no-any-return]


def exchange(sequences: Tensor, rows: Ints, place: Ints) -> None:
    """Exchange the entries at `place` and the next one in these rows."""
    of, at = torch.from_numpy(rows).to(sequences.device), torch.from_numpy(place).to(sequences.device)
    one, other = sequences[of, at], sequences[of, at + 1]
    sequences[of, at], sequences[of, at + 1] = other, one

"""Integrated credit of several two-class orders (macro average precision, a loop over labels), each as `swaps` credits one.

One draw of all of them is a base; a neighbouring swap in one order leaves the others where they were drawn.  That disjoint
swaps add up is needed, and checked, within an order only: what the orders do to each other is part of each base.  All swaps
of all orders are evaluated together as long as that is less work than more calls; then those of few orders at a time, for
an order that no line of a call touches is handed to g once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metric2loss.runtime.factored import Leaf, Problem
from metric2loss.runtime.interpolants import links, places, sums, swaps, usual
from metric2loss.runtime.interpolants.credit import SAMPLES, stratified
from metric2loss.runtime.interpolants.swaps import Draws, Ints
from metric2loss.runtime.split import Split

_CALL = 2**15  # numbers that handing one more order to a call of g is as dear as


@dataclass(frozen=True)
class Order:
    """One of the steps: an order of winners and losers, and the pairs of both."""

    leaf: Leaf
    split: Split

    @classmethod
    def read(cls, problem: Problem, leaf: Leaf) -> Order | None:
        """The leaf as an order of one row in which the best configuration has one class first; None where it is none."""
        layout = leaf.layout
        if not links.is_order(leaf) or layout.n_rows != 1 or layout.lower is None or layout.size > swaps.MOST:
            return None
        best = problem.best[leaf.start : leaf.stop]
        first = bool(best[0])
        if bool((best != first).any()):
            return None
        side = layout.lower if first else layout.lower.others
        return cls(leaf, Split(layout.keys, side, problem.temperature))

    @property
    def items(self) -> Tensor:
        """Winners, then losers."""
        assert self.split.bad is not None
        return torch.cat([self.split.good[0], self.split.bad[0]])


def read(problem: Problem) -> list[Order]:
    """The orders, if the metric has several steps and those with binaries are all such ones; else none.

    Of a mean over rows they are those that rank all examples of the batch, one a class; others rank within examples.
    """
    filled = [leaf for leaf in problem.leaves if leaf.layout.size]
    if len(problem.leaves) < 2 or problem.row_of is not None and not all(_over_batch(problem, leaf) for leaf in filled):
        return []
    found = [Order.read(problem, leaf) for leaf in filled]
    known = [order for order in found if order is not None]
    return known if len(known) == len(found) else []


def _over_batch(problem: Problem, leaf: Leaf) -> bool:
    """Whether it orders an item for each example, which the scores have along their first axis and along no other."""
    if not links.is_order(leaf):
        return False
    shapes = [tuple(scores.shape) for scores in problem.scores.values()]  # type: ignore[attr-defined]
    n = leaf.layout.keys.numel()
    return all(len(shape) > 1 and shape[0] == n and n not in shape[1:] for shape in shapes)


@dataclass(frozen=True)
class Credit:
    """What the pairs [winners, losers] of each order are worth, and the share of the swaps that were evaluated for it."""

    orders: list[Order]
    worth: list[Tensor]
    share: float

    @property
    def mean(self) -> float:
        """Of all pairs, whichever sign."""
        return sum(float(worth.abs().sum()) for worth in self.worth) / sum(worth.numel() for worth in self.worth)

    def missing(self) -> float:
        """How far the relaxed pairs are from the best ones."""
        return sum(sums.missing(order.split) for order in self.orders)

    def terms(
        self, problem: Problem, evenly: float, power: links.Power, known: places.Places
    ) -> list[tuple[Tensor, Tensor]]:
        """Keys and dL/dkeys of each order; one that nothing has been said of is worth `evenly` a pair."""
        found, named = [], usual.names(problem)
        for order, worth in zip(self.orders, self.worth):
            said = bool((worth > 0).any())
            share, how = known.of_split(
                named[order.leaf.start], order.split, worth if said and not links.even(worth) else None
            )
            if share is None:
                share = worth if said else torch.full_like(worth, evenly)
            split = order.split if links.even(share) else links.focused(order.split)
            pull = links.anchored(split, share, power, how)
            found.append((split.keys, pull.mul_(split.temperature / problem.temperature)))
        return found


def credit(problem: Problem, orders: list[Order], budget: int) -> Credit | None:
    """The credit of each order; None where its swaps do not add up."""
    path = stratified(problem, problem.progress)
    draws = [Draws.on(problem, links.focused(order.split), order.leaf.layout.low, path) for order in orders]
    found = Swaps.of(problem, orders, draws, budget)
    if found is None:
        return None
    return Credit(orders, [found.credit(number) for number in range(len(orders))], found.share)


@dataclass(frozen=True)
class Lines:
    """What is evaluated: of each line the draw, the order that is changed (-1: none), and places of one or two swaps in it."""

    draw: Ints
    order: Ints
    place: Ints  # [lines, 2]; -1: no swap

    def __getitem__(self, part: slice) -> Lines:
        return Lines(self.draw[part], self.order[part], self.place[part])

    def __len__(self) -> int:
        return len(self.draw)


@dataclass(frozen=True)
class Swaps:
    """The swaps that were evaluated, [swaps, 2] of group and place, group = draw · orders + order; what each changes g by."""

    draws: list[Draws]
    kept: Ints
    change: Ints
    weight: Ints
    share: float

    @classmethod
    def of(cls, problem: Problem, orders: list[Order], draws: list[Draws], budget: int) -> Swaps | None:
        """Those of all orders, or what the budget allows of them; None where disjoint ones do not add up."""
        rows = _listed(draws)
        seed = int(torch.randint(2**31, (1,), generator=problem.generator))
        price = max(_price(draws, len(rows)), problem.own_cost)  # type: ignore[attr-defined]
        chance = swaps.chances(rows[:, 0], max(16, budget // price))
        taken = slice(None) if chance is None else np.random.default_rng(seed).random(len(rows)) < chance
        kept = rows[taken]
        weight = np.ones(len(kept)) if chance is None else 1 / chance[taken]
        tests = swaps.checked(seed, kept)
        values = _values(problem, orders, draws, kept, tests)
        amount = draws[0].amount
        base = values[:amount].repeat(len(orders))
        single, double = values[amount : amount + len(kept)], values[amount + len(kept) :]
        change = single - base[kept[:, 0]]
        if not swaps.add_up(base, change, double, kept, tests):
            return None
        return cls(draws, kept, change, weight, len(kept) / max(len(rows), 1))

    def credit(self, number: int) -> Tensor:
        """What each pair of an order is worth."""
        draws = self.draws[number]
        of, place = self.kept[:, 0], self.kept[:, 1]
        mine = of % len(self.draws) == number
        draw, place, change = of[mine] // len(self.draws), place[mine], self.change[mine]
        sinks = draws.is_good.reshape(draws.amount, -1)[draw, place]
        if (alike := swaps.all_alike(change, sinks)) is not None:
            return draws.every(alike)
        worth = np.zeros((draws.amount, draws.length))
        worth[draw, place] = change * self.weight[mine] / SAMPLES
        return draws.credit(worth)


def _listed(draws: list[Draws]) -> Ints:
    """All swaps, [swaps, 2] of group and place, group by group."""
    parts = []
    for number, mine in enumerate(draws):
        found = mine.swaps()
        parts.append(np.stack([found[:, 0] * len(draws) + number, found[:, 1]], 1))
    rows = np.concatenate(parts)
    ordered: Ints = rows[np.argsort(rows[:, 0], kind="stable")]
    return ordered


def _price(draws: list[Draws], amount: int) -> int:
    """What one swap is reckoned at: all orders' numbers where all are changed in one call, else those of one."""
    lengths = [mine.length for mine in draws]
    groups = len(draws) * draws[0].amount
    together = amount * sum(lengths) <= groups * _CALL * len(draws)
    return swaps.PASSES * (sum(lengths) if together else max(lengths))


def _values(problem: Problem, orders: list[Order], draws: list[Draws], kept: Ints, tests: Ints) -> Ints:
    """sign · g at the bases, at each swap alone, and at the pairs of swaps to be checked."""
    amount = draws[0].amount
    of = np.concatenate([kept[:, 0], kept[tests[:, 0], 0]])
    lines = Lines(
        np.concatenate([np.arange(amount), of // len(draws)]),
        np.concatenate([np.full(amount, -1), of % len(draws)]),
        np.concatenate(
            [
                np.full((amount, 2), -1),
                np.stack([kept[:, 1], np.full(len(kept), -1)], 1),
                np.stack([kept[tests[:, 0], 1], kept[tests[:, 1], 1]], 1),
            ]
        ),
    )
    sequences = [
        order.items[torch.from_numpy(mine.sequence).to(order.items.device)] for order, mine in zip(orders, draws)
    ]
    parts = [_evaluated(problem, orders, sequences, lines[part]) for part in _calls(lines, draws)]
    values: Ints = problem.sign * np.concatenate(parts)
    return values


def _calls(lines: Lines, draws: list[Draws]) -> Iterator[slice]:
    """Lines that one call of g takes: whole groups, as long as their numbers are fewer than those of one more call."""
    most = max(1, _CALL * len(draws) // sum(mine.length for mine in draws))
    group = lines.draw * (len(draws) + 1) + lines.order
    ends = [*(np.flatnonzero(np.diff(group)) + 1).tolist(), len(lines)]
    start = before = 0
    for end in ends:
        if end - start > most and before > start:
            yield slice(start, before)
            start = before
        before = end
    yield slice(start, len(lines))


def _evaluated(problem: Problem, orders: list[Order], sequences: list[Tensor], lines: Lines) -> Ints:
    """g at the lines; an order that none of them changes has one outcome for all, if they are of one draw."""
    one_draw = bool((lines.draw == lines.draw[0]).all())
    known = {order.leaf.start: number for number, order in enumerate(orders)}
    outcomes, many = [], []
    for leaf in problem.leaves:
        number = known[leaf.start] if leaf.layout.size else None
        at = np.flatnonzero(lines.order == number) if number is not None else np.zeros(0, dtype=np.int64)
        varies = number is not None and (len(at) > 0 or not one_draw)
        outcomes.append(_outcome(problem, leaf, None if number is None else sequences[number], lines, at, varies))
        many.append(varies)
    found: Tensor = problem.values_with(outcomes, many, len(lines))  # type: ignore[attr-defined]
    return found.cpu().numpy()


def _outcome(problem: Problem, leaf: Leaf, sequences: Tensor | None, lines: Lines, at: Ints, varies: bool) -> Any:
    """The outcomes of one step, of all lines or the one of them all."""
    if sequences is None:
        return leaf.layout.result(problem.bits[leaf.start : leaf.stop].unsqueeze(0))[0]
    if not varies:
        return leaf.layout.placed(sequences[int(lines.draw[0])].reshape(1, 1, -1))[0]
    found = sequences.index_select(0, torch.from_numpy(lines.draw).to(sequences.device))
    for column in (0, 1):
        place = lines.place[at, column]
        swaps.exchange(found, at[place >= 0], place[place >= 0])
    return leaf.layout.placed(found.unsqueeze(1))

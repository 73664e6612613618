"""From the credit of each binary to a gradient: the link per pair, and the anchored one, per pair and per example.

The link is (1 − u) u^p for a credit that says "up": logistic at progress p = 0, the derivative of the sigmoid at p = 1.
Small p moves far-off pairs, large p lets the lost ones go.

An order over the batch is pulled pair by pair and, about a third, example by example against a threshold at 0. Pairs alone learn
fast at low rates and fall apart at high ones, for nothing holds the scores of different batches together; examples alone
first learn how rare the winners are, which no order asks for, so that the rare side weighs more than its number. Where the metric
heeds some pairs more than others, both look at near pairs, at a temperature of the scores' own: see `focus`; how much it usually
heeds them is known by their places: see `places`. All are pulled less where winners (or losers) are usually rare, as cross
entropy of the examples would do: nothing to Adam, and what keeps plain gradient descent from falling apart at its rates.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from metric2loss.runtime.factored import Leaf, Problem
from metric2loss.runtime.split import Split

MIDDLE = 0.5  # p, unless asked for another
_BY_EXAMPLE = 0.35  # of the pull of an anchored order
_RARE = 0.25  # power of a side's share in the pull of its examples: 1 is binary cross entropy's, 0 balances the sides
_ONE = 2**0.5  # so much less are keys spread than differences of two: against a threshold what is near is nearer
_EVENLY = 0.5  # of the credit of any other order
_SOFTLY = 0.25  # strength where pairs are told apart: nothing to Adam; cross entropy's rates suit gradient descent then
_NEAR = 0.6  # of the spread of the scores of a side: the temperature of an order over the batch
_NEAREST = 0.1  # the least of it, in temperatures


@dataclass(frozen=True)
class Power:
    """p of the rows or pairs of a batch: `most`, or, where it `settles`, as much of that as E says, the mean of their u.

    4 (E − c)(1 − E) / (1 − c)², c what chance gives: 0 for rows of many candidates, ½ for pairs. While hardly anything is right
    there is nothing to protect, and once all but a little is, that little is worth learning: logistic. Where rows or pairs that
    cannot be learned (wrong labels) keep E from rising, the lost ones are let go. Measured, test metric less the best hand-made
    loss, 6 to 8 seeds, without and with settling: accuracy (p = ½ without), clean −.004 and +.001 (SE .002), with 30 % wrong labels
    −.004 and −.003 (.002), heat maps −.011 and −.004 (.013); average precision (0 without), clean +.007 and +.022 (.006), with wrong
    labels −.006 and −.002 (.005), well-specified −.002 and −.013 (.005); AUC with wrong labels −.001 and +.005 (.003).
    """

    most: float
    settles: bool = False

    def at(self, right: float, chance: float = 0.0) -> float:
        """p where the mean of u is `right`."""
        if not self.settles:
            return self.most
        return self.most * max(0.0, 4 * (right - chance) * (1 - right) / (1 - chance) ** 2)


class Annealed:
    """Inside, the problem's progress is the p of links and paths, which goes from `first` to `last` in a training."""

    def __init__(self, problem: Problem, first: float, last: float) -> None:
        self.problem, self.given = problem, problem.progress
        self.p = first + (last - first) * self.given

    def __enter__(self) -> None:
        self.problem.progress = self.p

    def __exit__(self, *error: object) -> None:
        self.problem.progress = self.given


def link(x: Tensor, progress: float) -> Tensor:
    """(1 − u) u^p for u = sigmoid(x)."""
    down = torch.sigmoid(-x)
    return down if progress == 0 else down.mul_(torch.sigmoid(x).pow_(progress))


def of_pairs(problem: Problem, x: Tensor, credit: Tensor, progress: float) -> Tensor:
    """dL/dc from the credit and the oriented differences x; a negative credit swaps u and 1 − u."""
    uphill = credit * link(torch.where(credit >= 0, x, -x), progress) / problem.temperature
    return torch.where(problem.best, -uphill, uphill)


def is_order(leaf: Leaf) -> bool:
    """Whether the binaries say which of two items comes first."""
    return bool(leaf.layout.kind == "order")


def ranks(problem: Problem, leaf: Leaf) -> bool:
    """The same, however it is spelled: scores that are compared with scores of the same row rank them, too.

    Over one pool they need not (a concordance compares all scores and heeds some of it), and no credit may mean no say; there
    the rows of the metric, if it has any, have one score each. Measured, test metric, 4 to 6 seeds, credit alone and half of
    it evenly: recall@3 by counting .627 -> .644 (as by an order, .643; SE of the difference .003), reciprocal rank by counting,
    with wrong labels, .705 -> .706 (.002).
    """
    if is_order(leaf):
        return True
    scores, of = getattr(leaf.layout, "scores", 0), problem.row_of
    if not scores or of is None or leaf.start == leaf.stop:
        return False
    first, last = of[leaf.start : leaf.stop].aminmax()
    return bool(scores > last - first + 1)


def share_evenly(credit: Tensor, orders: Sequence[Leaf]) -> None:
    """Half of the credit of the pairs of some orders goes to all of these pairs alike, in place.

    A pair that the metric does not heed here (below the first k, or in a query whose best item leads) says as much of the
    order as any other. Measured, test metric, 6 seeds: NDCG@10 with an MLP .932 -> .940 (SE of the difference .002), recall@3
    .631 -> .644 (.002), NDCG@10 with a misspecified linear model .863 -> .863, reciprocal rank with wrong labels .705 -> .705.
    """
    if orders:
        mean = sum(float(credit[leaf.start : leaf.stop].clamp(min=0).sum()) for leaf in orders)
        mean /= max(sum(leaf.stop - leaf.start for leaf in orders), 1)
    for leaf in orders:
        credit[leaf.start : leaf.stop].mul_(1 - _EVENLY).add_(_EVENLY * mean)


def focus(up: Tensor, down: Tensor) -> float:
    """The temperature at which an order over the batch is read, from its winners' and losers' keys over the asked for one.

    An order has no unit, so a temperature of 1 is right only once the scores are spread as much; at low rates they hardly come so
    far, all pairs weigh alike and the order is learned from the means of the sides. Six tenths of the spread within the sides, but
    between 1/10 and 1. Measured at p = 0: average precision, test metric less Smooth-AP's, 8 seeds, at Smooth-AP's own rate −.044 -> −.008
    (SE .006), with wrong labels −.192 -> −.009 (.005), each at its best rate +.006 -> +.001 (.007) and −.033 -> −.009 (.005).
    """
    spread = math.sqrt((float(_scatter(up)) + float(_scatter(down))) / (len(up) + len(down)))
    return min(1.0, max(_NEAREST, _NEAR * spread))


def _scatter(keys: Tensor) -> Tensor:
    return keys.var(correction=0) * len(keys)


def focused(split: Split) -> Split:
    """The split at the temperature of its focus."""
    near = focus(split.of_good[0], split.of_bad[0])
    return split if near == 1 else Split(split.keys, split.side, near * split.temperature, split.encoding)


def even(credit: Tensor) -> bool:
    """Whether all pairs count alike (AUC, or a batch in which none does): then no pair is to be looked at more closely."""
    low, high = credit.aminmax()
    return low.item() == high.item()


def balance_of(winners: int, losers: int) -> float:
    """4 π (1 − π), π the share of winners."""
    return 4 * winners * losers / max((winners + losers) ** 2, 1)


def breadth(credit: Tensor) -> float:
    """The share of the pairs that have all the credit, were it spread evenly among them: (Σ w)² / (n Σ w²); 1 where none has any."""
    share = credit.clamp(min=0)
    squares = float((share * share).sum())
    return float(share.sum()) ** 2 / (share.numel() * squares) if squares else 1.0


@dataclass(frozen=True)
class Anchoring:
    """How an order over the batch is pulled: its balance, that of the batch unless given, and the part by examples, at most all of it."""

    balance: float | None = None
    part: float = 1.0

    def factors(self, winners: int, losers: int, evenly: bool) -> tuple[float, float, float]:
        """Of the credit of a pair, of a winner and of a loser; `evenly`: all pairs have the same."""
        amount = winners + losers
        rare = balance_of(winners, losers) if self.balance is None else self.balance
        rare *= 1 if evenly else _SOFTLY
        by_example = _BY_EXAMPLE * self.part
        of_winner, of_loser = (winners / amount) ** _RARE, (losers / amount) ** _RARE
        each = 2 * by_example / (of_winner + of_loser)
        return rare * (1 - by_example), rare * each * of_winner, rare * each * of_loser


def anchored(split: Split, credit: Tensor, power: Power, how: Anchoring = Anchoring()) -> Tensor:
    """dL/dkeys of one order over the batch, from the credit [goods, bads]; see `Sides.anchored`."""
    share = _shares(credit)
    good, bad = split.of_good[0], split.of_bad[0]
    of_pair, of_good, of_bad = how.factors(len(credit), credit.shape[1], even(share))
    x = good.unsqueeze(1) - bad
    p = _settled(power, share, x)
    pairs = of_pair * share * link(x, p)
    up = pairs.sum(1) + of_good * share.sum(1) * link(_ONE * good, p)
    down = pairs.sum(0) + of_bad * share.sum(0) * link(-_ONE * bad, p)
    return split.gradient(up.unsqueeze(0), down.unsqueeze(0))


def _settled(power: Power, share: Tensor, x: Tensor) -> float:
    """p of pairs and of examples alike, by the pairs' u as their credit weighs them."""
    if not power.settles:
        return power.most
    return power.at(float((torch.sigmoid(x) * share).sum() / share.sum()), chance=0.5)


def _shares(credit: Tensor) -> Tensor:
    """The credit that is not negative; where nothing is left, every pair counts alike."""
    share = credit.clamp(min=0)
    return share if float(share.sum()) else torch.ones_like(share)


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
        if not is_order(leaf) or layout.n_rows != 1 or problem.row_of is not None or not layout.size:
            return None
        best = problem.best[leaf.start : leaf.stop]
        winner = torch.where(best, layout.ahead, layout.behind)
        loser = torch.where(best, layout.behind, layout.ahead)
        wins = torch.zeros(layout.keys.numel(), dtype=torch.bool, device=best.device).index_fill_(0, winner, True)
        return None if bool(wins[loser].any()) else cls(leaf, winner, loser)

    @property
    def keys(self) -> Tensor:
        """Of all items, [m]."""
        keys: Tensor = self.leaf.layout.keys.detach().double().reshape(-1)
        return keys

    def anchored(self, problem: Problem, credit: Tensor, power: Power, how: Anchoring = Anchoring()) -> Tensor:
        """dL/dS of the examples' keys S: by pairs and by a threshold, whose pull the credit of the pairs splits inside each side.

        Pairs at p = ½ all the time let lost ones go for good: at Adam's rate .3 one of eight networks that tell digit 0 never
        came back. Where p settles, it is 0 for an order that is no better than chance.
        """
        share = _shares(credit)
        keys = self.keys / problem.temperature
        winners, losers = torch.unique(self.winner), torch.unique(self.loser)
        if not even(share):
            keys = keys / focus(keys[winners], keys[losers])
        of_pair, of_winner, of_loser = how.factors(len(winners), len(losers), even(share))
        x = keys[self.winner] - keys[self.loser]
        p = _settled(power, share, x)
        pairs = of_pair * share * link(x, p)
        up = pairs + of_winner * share * link(_ONE * keys[self.winner], p)
        down = pairs + of_loser * share * link(-_ONE * keys[self.loser], p)
        pull = torch.zeros_like(keys).index_add_(0, self.winner, up).index_add_(0, self.loser, -down)
        return -pull / problem.temperature

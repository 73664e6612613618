"""The default: the derivative of the metric's multilinear extension, integrated on the way to the best configuration.

A local derivative alone has plateaus (a heat map with the maximum elsewhere gains nothing by any single flip); the path
to the best configuration removes them: half of it is walked to the end, half as far as 1 − p.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from metric2loss.runtime.factored import Problem, drawn, oriented
from metric2loss.runtime.interpolants import (
    choices,
    closed,
    credit,
    far_pairs,
    links,
    margins,
    orders,
    places,
    strata,
    sums,
    swaps,
    usual,
    ways,
)
from metric2loss.runtime.interpolants.idw import Idw, weighted
from metric2loss.runtime.interpolants.protocol import Entries, distance, joined, nothing
from metric2loss.runtime.split import Split

_KEPT = 0.9  # of the running mean of |credit|, each batch
_TURNED = 0.1  # share of the binaries that a look around turns
_STRATA = 2  # budgets that credit by strata may take
_FEWEST = 3  # anchors of a kind, however dear
_THIN = 1 / 4  # below it, flips that are left out count as the mean of those that are not: fewer shocks for Adam
_LEAST_SHARE = 1 / 32  # below it, comparisons of a kind share their credit


@dataclass
class Integrated:
    """Credit of each binary along the path, through a link between logistic and sigmoid; see `credit` and `links`.

    p goes from `first` to `last` in a training.  By default it stays at ½, for that was never worse (see docs), and that of rows
    of a choice and of orders over the batch is at most ½: it settles where the batch says, see `links.Power`.
    `budget` bounds the work of a step, in configurations times numbers handed to g: above it only a random share of the
    flips is evaluated, and where that share is small, the others count as their mean. `anneal_anchored` anneals the link of
    orders over the batch as well; measured on average precision, it was never better and worse at low learning rates.
    `credit_by` asks for one of `ways.WAYS` where structure would choose another; `chosen` says what was done, and why.
    """

    name: ClassVar[str] = "integrated"
    anchors: int = 16
    power: float = 1.0
    budget: int = 2**21
    first: float | None = None
    last: float | None = None
    anneal_anchored: bool = False
    credit_by: str = ways.BY_STRUCTURE
    chosen: str = field(default="", init=False)
    notes: tuple[str, ...] = field(default=(), init=False)
    _adds_up: bool = field(default=True, init=False, repr=False)  # the metric's changes by disjoint swaps
    _usual: usual.Usual = field(default_factory=usual.Usual, init=False, repr=False)
    _places: places.Places = field(default_factory=places.Places, init=False, repr=False)
    typical: float | None = field(default=None, init=False)  # mean |credit| of the batches so far

    def __post_init__(self) -> None:
        ways.known(self.credit_by)

    def remembered(self) -> dict[str, Any]:
        """What earlier batches said of orders and of kinds, in plain values and tensors."""
        return {"places": self._places.remembered(), "usual": dict(self._usual.means)}

    def remember(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self._places = places.Places.remember(state.get("places", {}))
        self._usual = usual.Usual(dict(state.get("usual", {})))

    def __call__(self, problem: Problem) -> Tensor:
        """The distance of the metric from its best value; the gradient is the integrated one."""
        first, last = (links.MIDDLE if p is None else p for p in (self.first, self.last))
        with links.Annealed(problem, first, last):
            return self._at(problem)

    def _at(self, problem: Problem) -> Tensor:
        split = getattr(problem, "split", None)
        if split is not None and (by_keys := self._by_keys(problem, split)) is not None:
            return joined(distance(problem), (split.keys, by_keys))
        if not len(problem.best):
            return nothing(problem)
        if (found := self._by_orders(problem)) is not None:
            return found
        if self.credit_by == ways.STRATA:
            found = self._by_strata(problem)
            if found is None:
                raise ways.impossible(ways.STRATA)
            return found
        plan = credit.Plan.of(problem)
        if plan.decided_by_rows and self._may(ways.FLIPS) and not self._may(ways.ROWS):
            plan = replace(plan, decided_by_rows=False)
        share = 1.0 if plan.decided_by_rows else self._share(problem, plan)
        if plan.decided_by_rows and self._may(ways.ROWS):
            self.chosen = ways.rows()
            return self._linked(problem, plan)
        if self.credit_by in (ways.ROWS, ways.SWAPS):
            raise ways.impossible(self.credit_by)
        if self.credit_by == ways.BY_STRUCTURE and share < _LEAST_SHARE:
            return self._dear(problem, plan, share)
        if self.credit_by in (ways.ANCHORS, ways.EVENLY):
            return self._asked_for(problem)
        if (tried := choices.read(problem, plan, self.budget)) and share == 1:
            return self._by_candidates(problem, tried)
        self.notes = () if share == 1 else (f"a random {share:.0%} of {plan.evaluations:,} flips are evaluated",)
        self.chosen = ways.flips(plan.samples * plan.evaluations, plan.units, share)
        if share == 1:
            return self._linked(problem, plan)
        return self._linked(problem, plan.thinned(problem, share), plan if share < _THIN else None)

    def _by_candidates(self, problem: Problem, tried: list[choices.Choice]) -> Tensor:
        """Rows of a choice between several classes, each of them on each candidate."""
        self.notes, self.chosen = (), ways.candidates(choices.evaluations(problem, tried), problem.row_of is not None)
        costs = choices.costs(problem, tried)
        if met := choices.size(tried, costs):
            self._met(met)
            if problem.row_of is None:
                costs = choices.usual_costs(problem, tried, costs, self._usual)
        else:
            unsaid = self._unsaid(problem, choices.missing(tried))
            costs = [choice.good.logical_not() * unsaid for choice in tried]
        power = self._of_rows(problem)
        slopes = [choice.gradient(cost, power, problem.temperature) for choice, cost in zip(tried, costs)]
        return joined(distance(problem), *((c.leaf.layout.keys, slope) for c, slope in zip(tried, slopes)))

    def _may(self, way: str) -> bool:
        return self.credit_by in (way, ways.BY_STRUCTURE)

    def _dear(self, problem: Problem, plan: credit.Plan, share: float) -> Tensor:
        """Where flips of the budget would be thin: comparisons of a kind share their credit, orders are pulled evenly.

        So are thresholds that are the scores themselves. Of other steps a few flips stand for all. See docs for what was measured.
        """
        sweeps = strata.sweeps(problem)
        if not sweeps and (found := self._by_strata(problem)) is not None:
            return found
        if sweeps or all(links.ranks(problem, leaf) for leaf in problem.leaves if leaf.layout.size):
            many = f"flips would take {plan.samples * plan.evaluations:,} evaluations"
            why = "every score is tried as a threshold" if sweeps else many
            self.chosen, self.notes = ways.evenly(why), (f"{why}: every pair of scores counts alike",)
            if distance(problem) == 0:
                return self._pulled(problem)
            x = oriented(problem)
            return self._pulling(problem, plan, x, self._evenly(problem, x))
        count = int(share * len(plan.flips))
        if not problem.looped:  # as many evaluations as anchors would take
            count = min(max(count, _FEWEST, 3 * self._affordable(problem) // plan.samples), len(plan.flips))
        elif count < _FEWEST:
            self.notes = ("a run of the metric is too dear for single flips: every binary counts alike",)
            self.chosen = ways.evenly("a run of the metric is too dear for single flips")
            return self._pulled(problem)
        self.notes = (f"{count:,} of {plan.evaluations:,} flips are evaluated, the others count as their mean",)
        share = count / len(plan.flips)
        self.chosen = ways.flips(plan.samples * plan.evaluations, plan.units, share) + ", the others as their mean"
        return self._linked(problem, plan.thinned(problem, share), plan)

    def _by_strata(self, problem: Problem) -> Tensor | None:
        """Where all steps are comparisons: those of one kind share their credit."""
        known = strata.numbered(problem)
        amount = 0 if known is None else strata.samples(problem, known[1], _STRATA * self.budget)
        if known is None or not amount:
            return None
        self.chosen = ways.strata(known[1], amount * (known[1] + 1))
        self.notes = (f"{len(problem.best):,} comparisons of {known[1]} kinds: those of a kind count as their mean",)
        x = oriented(problem)
        worth = strata.credit(problem, x, *known, amount)
        if bool((worth != 0).any()):
            self._met(float(worth.abs().mean()))
        else:
            worth = torch.full_like(worth, self._unsaid(problem, float(torch.sigmoid(-x).sum())))
        return joined(distance(problem), (problem.differences, links.of_pairs(problem, x, worth, problem.progress)))

    def _asked_for(self, problem: Problem) -> Tensor:
        if self.credit_by == ways.ANCHORS:
            return self._by_anchors(problem, "asked for")
        self.chosen = ways.evenly("asked for")
        return self._pulled(problem)

    def _by_anchors(self, problem: Problem, why: str) -> Tensor:
        count = self._affordable(problem)
        self.chosen = ways.anchors(3 * count + 1, why)
        return joined(distance(problem), (problem.differences, Idw(count, self.power).gradient(problem)))

    def _by_keys(self, problem: Problem, split: Split) -> Tensor | Entries | None:
        """dL/dkeys where the pairs need not be listed."""
        self.notes = ()
        if self._may(ways.ROWS) and closed.decided(problem, split):
            found = closed.gradient(problem, split, self._of_rows(problem))
            if found is None and split.encoding != "pairs":
                return None
            self.chosen = ways.rows()
            if found is None:
                return sums.pulled(split, problem.progress) * self._unsaid(problem, sums.missing(split))
            self._met(found[1])
            return found[0]
        if self._may(ways.SWAPS) and self._adds_up and swaps.fits(problem, split):
            near = links.focused(split)
            drawn = swaps.credit(problem, near, self.budget // 2)
            if drawn is not None:
                return self._anchored(problem, split, near, *drawn)
            self._adds_up = False
        if self._may(ways.ANCHORS) and far_pairs.fits(problem, split) and split.pairs > swaps.MOST:
            self.notes = (f"{split.pairs:,} pairs are too many: inverse distances",)
            count = self._affordable(problem)
            self.chosen = ways.anchors(3 * count + 1, f"{split.pairs:,} pairs are too many")
            by_keys = far_pairs.interpolated(problem, split, count, self.power, weighted)[1]
            return -problem.sign * by_keys
        return None

    def _anchored(self, problem: Problem, split: Split, focused: Split, worth: Tensor, share: float) -> Tensor:
        self.chosen, self.notes = ways.swaps(share), ways.some(share)
        met = float(worth.abs().mean())
        if met:
            self._met(met)
        said = worth if met and not links.even(worth) else None
        (name,) = usual.names(problem).values()
        usually, how = self._places.of_split(name, split, said)
        self.notes += ways.chance(how.part)
        if usually is None:
            usually = worth if met else torch.full_like(worth, self._unsaid(problem, sums.missing(split)))
        near = split if links.even(usually) else focused
        pull = links.anchored(near, usually, self._of_anchored(problem), how)
        return pull.mul_(near.temperature / problem.temperature)  # of one strength, however near it looks

    def _by_orders(self, problem: Problem) -> Tensor | None:
        """Where the steps are several orders: each is pulled as the only one would be."""
        known = orders.read(problem) if self._may(ways.SWAPS) and self._adds_up else []
        drawn = orders.credit(problem, known, self.budget // 2) if known else None
        self._adds_up = self._adds_up and (drawn is not None or not known)
        if drawn is None:
            return None
        self.chosen, self.notes = ways.swaps(drawn.share, len(known)), ways.some(drawn.share)
        if (met := drawn.mean) > 0:
            self._met(met)
        evenly = self._unsaid(problem, 0 if self.typical is not None else drawn.missing())
        return joined(distance(problem), *drawn.terms(problem, evenly, self._of_anchored(problem), self._places))

    def _of_rows(self, problem: Problem) -> links.Power:
        """p of rows of a choice."""
        return links.Power(problem.progress, settles=self._settles)

    def _of_anchored(self, problem: Problem) -> links.Power:
        """p of orders over the batch."""
        if self.anneal_anchored:
            return links.Power(problem.progress)
        return links.Power(problem.progress, settles=True) if self._settles else links.Power(0.0)

    @property
    def _settles(self) -> bool:
        return self.first is None and self.last is None

    def _met(self, met: float) -> None:
        """Remember how large the credit usually is."""
        self.typical = met if self.typical is None else _KEPT * self.typical + (1 - _KEPT) * met

    def _share(self, problem: Problem, plan: credit.Plan) -> float:
        return min(1.0, self.budget / credit.cost(problem, plan))

    def _pulled(self, problem: Problem) -> Tensor:
        """Every binary towards the best configuration; where that is the current one, away from it as chance tells."""
        x = oriented(problem)
        worth = self._evenly(problem, x)
        if distance(problem) == 0:
            turned = drawn(problem, 2 * _FEWEST, len(x)) < _TURNED
            gains = problem.sign * torch.nan_to_num(problem.values_of(problem.bits ^ turned) - problem.worth)
            worth = -(gains.unsqueeze(1) * turned).mean(0) / _TURNED
        return joined(distance(problem), (problem.differences, links.of_pairs(problem, x, worth, problem.progress)))

    def _evenly(self, problem: Problem, x: Tensor) -> Tensor:
        """The same credit for every binary."""
        return torch.full_like(x, self._unsaid(problem, float(torch.sigmoid(-x).sum())), dtype=torch.double)

    def _affordable(self, problem: Problem) -> int:
        """Anchors of each kind, fewer where a run of g is dear."""
        return max(_FEWEST, min(self.anchors, self.budget // (3 * problem.run_cost)))

    def _linked(self, problem: Problem, plan: credit.Plan, whole: credit.Plan | None = None) -> Tensor:
        x = oriented(problem)
        worth = credit.of_binaries(problem, plan, x)
        if whole is not None:  # a few flips stand for all: the others are worth what these are on average
            known = plan.by >= 0
            worth = worth / plan.scale
            worth = torch.where((whole.by >= 0) & ~known, worth[known].mean().clamp(min=0), worth)
        if bool((worth != 0).any()):
            self._met(float(worth.abs().mean()))
            if problem.row_of is None and not plan.decided_by_rows:
                worth = self._usual.of_binaries(problem, plan.good, worth)
        else:
            worth = torch.full_like(worth, self._unsaid(problem, credit.missing(problem, plan, x)))
        return self._pulling(problem, plan, x, worth)

    def _pulling(self, problem: Problem, plan: credit.Plan, x: Tensor, worth: Tensor) -> Tensor:
        """Each step pulled as its kind is, from the credit of the binaries."""
        filled = [leaf for leaf in problem.leaves if leaf.layout.size]  # others start where the next one does
        sides = {leaf.start: links.Sides.read(problem, leaf) for leaf in filled}
        ranking = [leaf for leaf in filled if links.ranks(problem, leaf) and sides[leaf.start] is None]
        links.share_evenly(worth, ranking)
        pairs = links.of_pairs(problem, x, worth, problem.progress)
        terms = [(problem.differences, pairs)]
        if plan.good is not None:
            pairs[plan.good.at] = 0
            terms += margins.terms(problem, plan.good, credit.of_rows(plan, worth), self._of_rows(problem))
        for leaf in filled:
            if (found := sides[leaf.start]) is not None:
                pairs[leaf.start : leaf.stop] = 0
                if len(filled) > 1 and not bool((worth[leaf.start : leaf.stop] > 0).any()):
                    worth[leaf.start : leaf.stop] = self._unsaid(problem, credit.missing(problem, plan, x))
                usually, how = self._usual_of(problem, found, worth[leaf.start : leaf.stop])
                terms.append((leaf.layout.keys, found.anchored(problem, usually, self._of_anchored(problem), how)))
        return joined(distance(problem), *terms)

    def _usual_of(self, problem: Problem, sides: links.Sides, worth: Tensor) -> tuple[Tensor, links.Anchoring]:
        """What the pairs of an order are usually worth; where its items are told apart by more than two classes, now."""
        leaf = sides.leaf
        if getattr(leaf.layout, "lower", None) is None:
            return worth, links.Anchoring()
        said = None if links.even(worth.clamp(min=0)) else worth
        name = usual.names(problem)[leaf.start]
        found, how = self._places.of_pairs(name, sides.keys, sides.winner, sides.loser, said)
        self.notes = tuple(dict.fromkeys((*self.notes, *ways.chance(how.part))))
        return (worth if found is None else found), how

    def _unsaid(self, problem: Problem, missing: float) -> float:
        """The credit of every binary in a batch where none has any: pulled towards the best, as hard as other batches are.

        Credit 1 is about as many times the usual one as there are binaries, a spike for Adam. Measured on recall@5 (an MLP,
        Adam, 6 seeds, SE about .03; 69 % and 30 % of the batches without credit), at learning rates .003 and .03: credit 1
        .28 and .52, none .11 and .56, 1 / binaries .15 and .60, what is missing spread evenly .21 and .57, the running mean
        of |credit| .29 and .59. With 4 % such batches (a mean over 8 queries) 1 gave .67, everything else .74.
        Before any batch had credit: what is missing, spread evenly, so that the credits add up to it.
        """
        if self.typical is not None:
            return self.typical
        return distance(problem) / max(missing, 1e-3)

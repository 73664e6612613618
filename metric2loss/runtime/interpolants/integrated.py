"""The default: the derivative of the metric's multilinear extension, integrated on the way to the best configuration.

A local derivative alone has plateaus (a heat map with the maximum elsewhere gains nothing by any single flip); the path
to the best configuration removes them, and as training progresses gives way to the local derivative.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from metric2loss.runtime.factored import Problem, oriented
from metric2loss.runtime.interpolants import closed, credit, links
from metric2loss.runtime.interpolants.idw import Idw
from metric2loss.runtime.interpolants.protocol import distance, joined, nothing

_LEAST_SHARE = 1 / 32  # below it, single flips are too thin to be better than anchors


@dataclass
class Integrated:
    """Credit of each binary along the path, through an annealed link; see `credit` and `links`.

    `budget` bounds the work of a step, in configurations times numbers handed to g: above it only a random share of the
    flips is evaluated, and where that share is small, the paper's anchors are. `anneal_anchored` anneals the link of
    orders over the batch as well; measured on average precision, it was never better and worse at low learning rates.
    """

    name: ClassVar[str] = "integrated"
    anchors: int = 16
    power: float = 1.0
    budget: int = 2**21
    anneal_anchored: bool = False
    notes: tuple[str, ...] = field(default=(), init=False)

    def __call__(self, problem: Problem) -> Tensor:
        """The distance of the metric from its best value; the gradient is the integrated one."""
        split = getattr(problem, "split", None)
        if split is not None and closed.decided(problem, split):
            self.notes = ()
            return joined(distance(problem), (split.keys, closed.gradient(problem, split)))
        if not len(problem.best):
            return nothing(problem)
        plan = credit.Plan.of(problem)
        share = 1.0 if plan.decided_by_rows else self._share(problem, plan)
        if share < _LEAST_SHARE:
            self.notes = (f"{plan.evaluations:,} evaluations of the metric a sample are too many: inverse distances",)
            gradient = Idw(self.anchors, self.power).gradient(problem)
            return joined(distance(problem), (problem.differences, gradient))
        self.notes = () if share == 1 else (f"a random {share:.0%} of {plan.evaluations:,} flips are evaluated",)
        return self._linked(problem, plan if share == 1 else plan.thinned(problem, share))

    def _share(self, problem: Problem, plan: credit.Plan) -> float:
        return min(1.0, self.budget / credit.cost(problem, plan))

    def _linked(self, problem: Problem, plan: credit.Plan) -> Tensor:
        x = oriented(problem)
        worth = credit.of_binaries(problem, plan, x)
        if not bool((worth != 0).any()):
            worth = torch.ones_like(worth)  # the metric does not say: towards the best
        pairs = links.of_pairs(problem, x, worth, 0.0 if plan.steady else problem.progress)
        terms = [(problem.differences, pairs)]
        for leaf in problem.leaves:
            sides = links.Sides.read(problem, leaf)
            if sides is not None:
                pairs[leaf.start : leaf.stop] = 0
                progress = problem.progress if self.anneal_anchored else 0.0
                terms.append((leaf.layout.keys, sides.anchored(problem, worth, progress)))
        return joined(distance(problem), *terms)

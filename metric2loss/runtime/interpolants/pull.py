"""The control that ignores the metric: all binaries are pulled towards the best configuration alike.

All but those between two wrong candidates of a choice, of which no best configuration asks for anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from metric2loss.runtime.factored import Problem, oriented
from metric2loss.runtime.good_rows import GoodRows
from metric2loss.runtime.interpolants import links, sums
from metric2loss.runtime.interpolants.protocol import distance, joined, nothing


@dataclass
class Pull:
    """Credit 1 for every binary that tells right from wrong, with the link of `integrated`.

    What any metric-aware interpolant must beat.
    """

    name: ClassVar[str] = "pull"
    first: float = links.MIDDLE
    last: float = links.MIDDLE
    notes: ClassVar[tuple[str, ...]] = ()

    def __call__(self, problem: Problem) -> Tensor:
        """The distance of the metric from its best value; the gradient is the pull."""
        with links.Annealed(problem, self.first, self.last):
            return self._at(problem)

    def _at(self, problem: Problem) -> Tensor:
        split = getattr(problem, "split", None)
        if split is not None and split.encoding == "pairs":
            return joined(distance(problem), (split.keys, sums.pulled(split, problem.progress)))
        if not len(problem.best):
            return nothing(problem)
        x = oriented(problem)
        gradient = links.of_pairs(problem, x, torch.ones_like(x), problem.progress)
        if (good := GoodRows.read(problem)) is not None:
            gradient[good.idle] = 0
        return joined(distance(problem), (problem.differences, gradient))

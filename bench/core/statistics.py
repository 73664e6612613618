"""Values by seed to a mean with its standard error, and two losses to a paired difference with a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import mean, stdev

from scipy import stats


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds."""

    mean: float
    error: float | None  # standard error of the mean; None with fewer than two seeds
    count: int
    p: float | None = None  # of a paired t-test against no difference

    def text(self, sign: str = "", digits: int = 4) -> str:
        shown = f"{self.mean:{sign}.{digits}f}"
        return shown if self.error is None else f"{shown} ± {self.error:.{digits}f}"


def estimate(values: Sequence[float]) -> Estimate:
    count = len(values)
    return Estimate(mean(values), stdev(values) / sqrt(count) if count > 1 else None, count)


def paired(ours: Mapping[int, float], theirs: Mapping[int, float]) -> Estimate:
    """Difference over the seeds that both have: same split, same initial weights, same batches."""
    seeds = sorted(ours.keys() & theirs.keys())
    differences = [ours[seed] - theirs[seed] for seed in seeds]
    found = estimate(differences)
    if len(seeds) < 2:
        return found
    if len(set(differences)) == 1:  # no spread: the test divides by zero
        return Estimate(found.mean, found.error, found.count, p=1.0 if differences[0] == 0 else 0.0)
    test = stats.ttest_rel([ours[seed] for seed in seeds], [theirs[seed] for seed in seeds])
    return Estimate(found.mean, found.error, found.count, float(test.pvalue))

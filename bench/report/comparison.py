"""Outcomes of one task to what the tables show: each loss's test values, and its paired gain over other losses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from bench.core.record import Outcome
from bench.core.statistics import Estimate, estimate, paired
from bench.core.sweep import TUNING_SEEDS, Chosen, Plan, choose, scores_of
from bench.core.task import Task

LEVEL = 0.05  # of significance


@dataclass(frozen=True)
class Comparison:
    """One task with all its runs."""

    task: Task
    outcomes: tuple[Outcome, ...]
    tuning: tuple[int, ...] = TUNING_SEEDS

    @cached_property
    def chosen(self) -> Chosen:
        return choose(self.task, scores_of(self.outcomes, self.tuning))

    @property
    def losses(self) -> list[str]:
        """Hand-made ones first, as the task lists them, then the compiled ones."""
        others = dict.fromkeys(outcome.run.loss for outcome in self.outcomes)
        return [*(loss for loss in self.task.handmade if loss in others), *sorted(others.keys() - self.task.handmade)]

    @property
    def rate(self) -> float:
        """The learning rate of the best hand-made loss."""
        return self.chosen.rates[self.chosen.handmade]

    def tested(self, loss: str, rate: float | None = None) -> list[Outcome]:
        """The test seeds of a loss, at its own rate unless given, in the order of the seeds."""
        wanted = self.chosen.rates.get(loss) if rate is None else rate
        found = [o for o in self.outcomes if (o.run.loss, o.run.learning_rate) == (loss, wanted)]
        return sorted((o for o in found if o.run.seed not in self.tuning), key=lambda o: o.run.seed)

    def values(self, loss: str, rate: float | None = None) -> dict[int, float]:
        """Seed -> metric on test data, without the runs that broke down."""
        return {o.run.seed: o.test for o in self.tested(loss, rate) if o.test is not None}

    def broken(self, loss: str, rate: float | None = None) -> int:
        return sum(o.failure is not None or o.test is None for o in self.tested(loss, rate))

    def value(self, loss: str, rate: float | None = None) -> Estimate | None:
        values = self.values(loss, rate)
        return estimate(list(values.values())) if values else None

    def gain(self, loss: str, over: str, rate: float | None = None) -> Estimate | None:
        """How much better than another loss, which is at its own rate; positive is better, whatever the metric's sign."""
        ours, theirs = self.values(loss, rate), self.values(over)
        if not ours.keys() & theirs.keys():
            return None
        sign = self.task.sign
        return paired({s: sign * v for s, v in ours.items()}, {s: sign * v for s, v in theirs.items()})

    @property
    def hindsight(self) -> str:
        """The hand-made loss with the best mean on the test data: what nobody could have chosen beforehand."""
        known = {loss: self.value(loss) for loss in self.task.handmade}
        means = {loss: self.task.sign * found.mean for loss, found in known.items() if found is not None}
        return max(means, key=lambda loss: means[loss]) if means else self.chosen.handmade

    def milliseconds(self, loss: str) -> float:
        return median(outcome.milliseconds for outcome in self.outcomes if outcome.run.loss == loss)


def verdict(gain: Estimate) -> str:
    """better, worse, or tie: by the paired t-test."""
    if gain.p is None or gain.p >= LEVEL or gain.mean == 0:
        return "tie"
    return "better" if gain.mean > 0 else "worse"


def beyond_one_error(gain: Estimate) -> bool:
    """Worse by more than one standard error."""
    return gain.error is not None and gain.mean < -gain.error


def comparisons(tasks: Sequence[Task], outcomes: Iterable[Outcome], plan: Plan | None = None) -> list[Comparison]:
    """Those tasks that were run, in the order given; runs of another length are left out."""
    plan = plan or Plan()
    grouped: Mapping[str, list[Outcome]] = {task.key: [] for task in tasks}
    for outcome in outcomes:
        if outcome.run.task in grouped:
            grouped[outcome.run.task].append(outcome)
    found = ((task, tuple(o for o in grouped[task.key] if o.run.epochs == plan.epochs(task))) for task in tasks)
    return [Comparison(task, outcomes, plan.tuning) for task, outcomes in found if outcomes]

"""Learning rates: the same grid for every loss, widened until the best rate lies inside, chosen on validation data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import log10
from statistics import mean

from bench.core.record import Outcome, Run
from bench.tasks import named

SMALLEST, LARGEST = 1e-6, 30.0  # where it stops to grow

Key = tuple[str, str]  # task, loss
Scores = dict[Key, dict[float, float]]  # mean validation metric at each learning rate; larger is better


def search(
    keys: Iterable[Key],
    grid: Sequence[float],
    seeds: Sequence[int],
    train: Callable[[list[Run]], list[Outcome]],
    data: str = "bundled",
    epochs: int | None = None,
) -> Scores:
    """Train at every rate of the grid with every seed, then beyond the grid where the best rate is on its edge."""
    scores: Scores = {key: {} for key in keys}
    open_rates = {key: list(grid) for key in scores}
    while any(open_rates.values()):
        wanted = [
            Run(task, loss, rate, seed, epochs, data)
            for (task, loss), rates in open_rates.items()
            for rate in rates
            for seed in seeds
        ]
        outcomes = iter(train(wanted))
        for key, rates in open_rates.items():
            for rate in rates:
                scores[key][rate] = score([next(outcomes) for _ in seeds])
        open_rates = {key: beyond(scores[key]) for key in scores}
    return scores


def score(outcomes: Sequence[Outcome]) -> float:
    """Mean validation metric, larger is better; minus infinity if a run broke down."""
    sign = named(outcomes[0].run.task).sign
    values = [outcome.validation for outcome in outcomes]
    return mean(-float("inf") if value is None else sign * value for value in values)


def best(scores: dict[float, float]) -> float:
    """The rate with the best validation metric; of equals, the middle one."""
    top = max(scores.values())
    equal = sorted(rate for rate, value in scores.items() if value == top)
    return equal[len(equal) // 2]


def beyond(scores: dict[float, float]) -> list[float]:
    """The next rate to try when the best one is the smallest or the largest so far: half a decade further."""
    chosen = best(scores)
    if chosen == max(scores) and chosen < LARGEST:
        return [half_decade(chosen, 1)]
    if chosen == min(scores) and chosen > SMALLEST:
        return [half_decade(chosen, -1)]
    return []


def half_decade(rate: float, steps: int) -> float:
    """So many steps further on ..., 0.01, 0.03, 0.1, 0.3, ..."""
    return float(f"{10 ** ((round(2 * log10(rate)) + steps) / 2):.1g}")


def grid_text(rates: Sequence[float]) -> str:
    return ", ".join(f"{rate:g}" for rate in rates)

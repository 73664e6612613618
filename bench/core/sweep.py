"""The protocol of a comparison: tune every loss on its own seeds, then test it at its own rate and at the hand-made loss's."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console

from bench.core.pool import train_all
from bench.core.record import Outcome, Run
from bench.core.task import BUNDLED, Task
from bench.core.tuning import Scores, best, score, search

GRID = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
TUNING_SEEDS = (100, 101)
TEST_SEEDS = tuple(range(10))
COMPILED = ("integrated", "idw", "pull")


@dataclass(frozen=True)
class Plan:
    """What a comparison runs, and where its runs lie."""

    compiled: tuple[str, ...] = COMPILED
    grid: tuple[float, ...] = GRID
    seeds: tuple[int, ...] = TEST_SEEDS
    drop_in: bool = True
    longer: int = 1  # how many times as long as the task says
    tuning: tuple[int, ...] = TUNING_SEEDS
    group: str = "learning"  # of the tasks
    folder: str = "learning"  # below bench/runs

    def epochs(self, task: Task) -> int | None:
        """As a run has it: None is the task's own number."""
        return None if self.longer == 1 else self.longer * task.epochs


# decided on after the first results: is it the number of steps?
LONGER = Plan(
    ("integrated", "pull"), (3e-3, 1e-2, 3e-2), TEST_SEEDS[:5], drop_in=False, longer=3, folder="learning_longer"
)

# the optimizer's rates are larger, and whether the scale is that of a hand-made loss is what is asked
DESCENT = Plan(("integrated", "pull"), (1e-2, 3e-2, 1e-1, 3e-1, 1.0), group="descent", folder="descent")

# where the engine's defaults are set: seeds that no other comparison has
DEVELOPED = Plan(
    ("integrated", "pull"),
    seeds=tuple(range(310, 318)),
    tuning=tuple(range(300, 304)),
    group="development",
    folder="development",
)

PLANS = (Plan(), LONGER, DESCENT, DEVELOPED)

Train = Callable[[list[Run]], list[Outcome]]


@dataclass(frozen=True)
class Chosen:
    """What the tuning of one task says."""

    rates: Mapping[str, float]  # loss -> its best learning rate
    handmade: str  # the best hand-made loss
    score: Mapping[str, float]  # loss -> validation metric at its best rate; larger is better


def losses_of(task: Task, compiled: Sequence[str] = COMPILED) -> tuple[str, ...]:
    return (*task.handmade, *compiled)


def trainer(folder: Path, console: Console, workers: int | None, title: str) -> Train:
    return partial(train_all, console=console, workers=workers, title=title, folder=folder)


def tune(task: Task, train: Train, plan: Plan, data: str = BUNDLED) -> Chosen:
    """Search the grid for every loss of the task."""
    keys = [(task.key, loss) for loss in losses_of(task, plan.compiled)]
    return choose(task, search(keys, plan.grid, plan.tuning, train, data, plan.epochs(task)))


def choose(task: Task, scores: Scores) -> Chosen:
    """Best rate of every loss, best hand-made loss; by validation data of the tuning seeds alone."""
    rates = {loss: best(found) for (key, loss), found in scores.items() if key == task.key}
    top = {loss: scores[task.key, loss][rate] for loss, rate in rates.items()}
    return Chosen(rates, max((loss for loss in task.handmade if loss in top), key=lambda loss: top[loss]), top)


def final_runs(task: Task, chosen: Chosen, plan: Plan, data: str = BUNDLED) -> list[Run]:
    """Every loss at its own rate; compiled ones at that of the best hand-made loss as well, if the plan says so."""
    theirs = [chosen.rates[chosen.handmade]] if plan.drop_in else []
    wanted = [
        Run(task.key, loss, rate, seed, plan.epochs(task), data)
        for seed in plan.seeds
        for loss, own in chosen.rates.items()
        for rate in ([own] if loss in task.handmade else [own, *theirs])
    ]
    return list(dict.fromkeys(wanted))


def scores_of(outcomes: Iterable[Outcome], tuning: Collection[int] = TUNING_SEEDS) -> Scores:
    """The search again, from the outcomes of its runs."""
    grouped: dict[tuple[str, str], dict[float, list[Outcome]]] = {}
    for outcome in outcomes:
        run = outcome.run
        if run.seed in tuning:
            grouped.setdefault((run.task, run.loss), {}).setdefault(run.learning_rate, []).append(outcome)
    return {key: {rate: score(found) for rate, found in sorted(rates.items())} for key, rates in grouped.items()}

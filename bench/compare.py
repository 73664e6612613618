"""`python -m bench.compare BEFORE AFTER`: two folders of runs of one loss, paired by task, learning rate and seed, in a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import mean

import click
from rich.console import Console
from rich.table import Table

from bench.core.record import every
from bench.core.statistics import Estimate, estimate, paired
from bench.core.sweep import PLANS
from bench.report.comparison import Comparison, comparisons, verdict
from bench.report.learning import tally
from bench.report.tables import OURS, p_value
from bench.tasks import groups

STYLES = {"better": "green", "worse": "red", "tie": ""}


@dataclass(frozen=True)
class Change:
    """What became of one loss on one task."""

    before: Comparison
    after: Comparison
    loss: str

    @cached_property
    def rates(self) -> list[float]:
        """Those that the search of both has."""
        return sorted(tuned(self.before, self.loss).keys() & tuned(self.after, self.loss).keys())

    @cached_property
    def own(self) -> tuple[dict[int, float], dict[int, float]]:
        """Before and after, each at the rate that its validation data chose: seeds of the test, of the search where one has no others."""
        sides = (self.before, self.after)
        tested = [side.values(self.loss) for side in sides]
        if not all(tested):
            tested = [tuned(side, self.loss).get(side.chosen.rates[self.loss], {}) for side in sides]
        return tested[0], tested[1]

    def at_own(self) -> Estimate | None:
        """The difference of these."""
        before, after = (signed(self.before, values) for values in self.own)
        return paired(after, before) if before.keys() & after.keys() else None

    def at(self, rates: Sequence[float]) -> Estimate | None:
        """Mean over the rates, on the seeds of the search; seeds at which a run broke down are left out."""
        ours, theirs = (over(side, self.loss, rates) for side in (self.after, self.before))
        return paired(ours, theirs) if ours.keys() & theirs.keys() else None

    @property
    def best(self) -> list[float]:
        """The rate that was best before, on the validation data, if both have it."""
        return [rate for rate in self.rates if rate == self.before.chosen.rates[self.loss]]


def tuned(side: Comparison, loss: str) -> dict[float, dict[int, float]]:
    """Learning rate -> seed of the search -> metric on test data."""
    found: dict[float, dict[int, float]] = {}
    for outcome in side.outcomes:
        if outcome.run.loss == loss and outcome.run.seed in side.tuning and outcome.test is not None:
            found.setdefault(outcome.run.learning_rate, {})[outcome.run.seed] = outcome.test
    return found


def over(side: Comparison, loss: str, rates: Sequence[float]) -> dict[int, float]:
    """Seed -> mean over the rates, larger is better."""
    found = tuned(side, loss)
    whole = [seed for seed in side.tuning if all(seed in found[rate] for rate in rates)] if rates else []
    return signed(side, {seed: mean(found[rate][seed] for rate in rates) for seed in whole})


def broken(side: Comparison, loss: str) -> int:
    return sum(o.failure is not None or o.test is None for o in side.outcomes if o.run.loss == loss)


def signed(side: Comparison, values: dict[int, float]) -> dict[int, float]:
    return {seed: side.task.sign * value for seed, value in values.items()}


def changes(before: Path, after: Path, loss: str) -> list[Change]:
    """Of every task of any group that both folders have."""
    sides = [list(every(folder)) for folder in (before, after)]
    found = []
    for plan in PLANS:
        old, new = (
            {c.task.key: c for c in comparisons(groups()[plan.group], side, plan) if loss in c.chosen.rates}
            for side in sides
        )
        found += [Change(old[key], new[key], loss) for key in old if key in new]
    return found


def table(found: Sequence[Change]) -> Table:
    """A row a task."""
    result = Table(title=f"{found[0].loss}: after less before, positive is better", title_justify="left")
    for column in (
        "task",
        "before",
        "after",
        "each at its best rate",
        "rates",
        "at the best before",
        "mean over rates",
        "broke down",
    ):
        result.add_column(column, justify="left" if column == "task" else "right")
    for change in found:
        sides = (change.before, change.after)
        rates = [side.chosen.rates[change.loss] for side in sides]
        failed = [broken(side, change.loss) for side in sides]
        result.add_row(
            change.before.task.key,
            *(estimate(list(values.values())).text(digits=3) if values else "–" for values in change.own),
            shown(change.at_own()),
            " → ".join(dict.fromkeys(f"{rate:g}" for rate in rates)),
            shown(change.at(change.best)),
            shown(change.at(change.rates)),
            f"{failed[0]} → {failed[1]}" if any(failed) else "",
        )
    return result


def shown(found: Estimate | None) -> str:
    """Difference ± SE with its p-value, coloured where it is significant."""
    if found is None:
        return "–"
    text = found.text("+", 3) + ("" if found.p is None else f" (p {p_value(found.p)})")
    style = STYLES[verdict(found)]
    return f"[{style}]{text}[/]" if style else text


def summary(found: Sequence[Change]) -> list[str]:
    """How many tasks each kind of difference is better, tied and worse on."""
    kinds = {
        "each at its best rate": [change.at_own() for change in found],
        "at the rate that was best before, seeds of the search": [change.at(change.best) for change in found],
        "mean over the rates, seeds of the search": [change.at(change.rates) for change in found],
    }
    return [f"{kind}: {tally([one for one in each if one is not None])}" for kind, each in kinds.items()]


@click.command()
@click.argument("before", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("after", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--loss", default=OURS, show_default=True)
def main(before: Path, after: Path, loss: str) -> None:
    """What a change of the engine does: the runs in AFTER less those in BEFORE."""
    console = Console()
    found = changes(before, after, loss)
    if not found:
        raise click.ClickException(f"no task has runs of {loss} in both {before} and {after}")
    console.print(table(found))
    console.print(*summary(found), sep="\n", highlight=False)


if __name__ == "__main__":
    main()

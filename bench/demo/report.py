"""Outcomes to tables: the metric on test data, the paired difference to the hand-made loss, and what a step costs."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from rich.table import Table

from bench.core.record import Outcome
from bench.core.statistics import estimate, paired
from bench.core.task import Task
from bench.demo.learning import HANDMADE, LOSSES, name_of

LEGEND = (
    "integrated: metric2loss, its default. idw: metric2loss, the paper's interpolation. "
    "pull: metric2loss, the control that ignores the metric. First row: the usual hand-made loss."
)


def table(task: Task, outcomes: Sequence[Outcome]) -> Table:
    """One task's table, a row a loss. Seeds are paired: same split, same initial weights, same batches."""
    result = Table(title=task.title, title_justify="left", title_style="bold")
    for column in ("loss", "test metric", "against hand-made", "rate", "ms a step"):
        result.add_column(column, justify="left" if column == "loss" else "right")
    by_loss = {
        name: [o for o in outcomes if (o.run.task, o.run.loss) == (task.key, name)]
        for name in (name_of(task, loss) for loss in LOSSES)
    }
    base = tests(by_loss[name_of(task, HANDMADE)])
    for name, own in by_loss.items():
        found = tests(own)
        result.add_row(
            name,
            estimate(list(found.values())).text(),
            "" if name in task.handmade else paired(found, base).text("+"),
            f"{own[0].run.learning_rate:g}",
            f"{median(outcome.milliseconds for outcome in own):.1f}",
        )
    return result


def tests(outcomes: Sequence[Outcome]) -> dict[int, float]:
    """Seed -> metric on test data; a run that broke down counts as nothing learned."""
    return {outcome.run.seed: 0.0 if outcome.test is None else outcome.test for outcome in outcomes}

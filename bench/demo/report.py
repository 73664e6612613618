"""Outcomes to tables: the metric on test data, the paired difference to the hand-made loss, and what a step costs."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import mean, median, stdev

from rich.table import Table

from bench.demo.losses import HANDMADE, LOSSES
from bench.demo.tasks import TASKS
from bench.demo.training import Outcome

LEGEND = (
    "integrated: metric2loss, its default. idw: metric2loss, the paper's interpolation. "
    "pull: metric2loss, the control that ignores the metric. First row: the usual hand-made loss."
)


def with_error(values: Sequence[float], sign: str = "") -> str:
    """Mean ± standard error of the mean."""
    if len(values) < 2:
        return f"{mean(values):{sign}.4f}"
    return f"{mean(values):{sign}.4f} ± {stdev(values) / sqrt(len(values)):.4f}"


def table(number: int, outcomes: Sequence[Outcome]) -> Table:
    """One task's table, a row a loss. Seeds are paired: same split, same initial weights, same batches."""
    task = TASKS[number]
    result = Table(title=task.name, title_justify="left", title_style="bold")
    for column in ("loss", "test metric", "against hand-made", "rate", "ms a step"):
        result.add_column(column, justify="left" if column == "loss" else "right")
    by_loss = {loss: [o for o in outcomes if o.run.task == number and o.run.loss == loss] for loss in LOSSES}
    base = {outcome.run.seed: outcome.test for outcome in by_loss[HANDMADE]}
    for loss, own in by_loss.items():
        label = task.handmade_name if loss == HANDMADE else loss
        differences = [outcome.test - base[outcome.run.seed] for outcome in own]
        result.add_row(
            label,
            with_error([outcome.test for outcome in own]),
            "" if loss == HANDMADE else with_error(differences, "+"),
            f"{own[0].run.learning_rate:g}",
            f"{median(outcome.milliseconds for outcome in own):.1f}",
        )
    return result

"""Comparisons to figures: paired gains with their errors, and the metric over the training."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from statistics import mean

from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from bench.report.comparison import Comparison, verdict
from bench.report.tables import CONTROLS, OURS

rcParams["svg.hashsalt"] = "metric2loss"
rcParams["svg.fonttype"] = "none"
COLOURS = {OURS: "#1f5fa8", "idw": "#c46210", "pull": "#7a7a7a"}
HANDMADE = ("#2a7f3b", "#7fb069", "#b5a642", "#8c5a8c")
VERDICTS = {"better": "#2a7f3b", "worse": "#b3261e", "tie": "#7a7a7a"}


def svg(figure: Figure) -> str:
    """Its text, the same whenever it is drawn."""
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None})
    return re.sub(r"[ \t]+\n", "\n", stream.getvalue())


def forest(tasks: Sequence[Comparison]) -> Figure:
    """The default's gain over the best hand-made loss, and over the controls, with 95 % intervals of the paired differences."""
    figure = Figure(figsize=(10, 0.36 * len(tasks) + 1.2), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    for panel, over in zip(panels, ("the best hand-made loss", *CONTROLS), strict=True):
        for place, task in enumerate(tasks):
            other = over if over in CONTROLS else task.chosen.handmade
            found = task.gain(OURS, other)
            if found is not None:
                width = 0 if found.error is None else found.error * quantile(found.count)
                colour = VERDICTS[verdict(found)]
                panel.errorbar(found.mean, place, xerr=width, fmt="o", color=colour, markersize=4, capsize=2)
        panel.axvline(0, color="black", linewidth=0.7)
        panel.set_title(f"{OURS} against {over}", fontsize=9)
        panel.tick_params(labelsize=8)
    panels[0].set_yticks(range(len(tasks)), [task.task.key for task in tasks])
    panels[0].invert_yaxis()
    figure.supxlabel("difference of the test metric, right is better (mean and 95 % interval over seeds)", fontsize=8)
    return figure


def quantile(count: int) -> float:
    """Of Student's t: half the width of a 95 % interval in standard errors."""
    return float(stats.t.ppf(0.975, count - 1))


def curves(tasks: Sequence[Comparison], losses: Sequence[str] | None = None, columns: int = 4) -> Figure:
    """Training (dashed) and validation metric over the epochs, mean over the test seeds."""
    rows = -(-len(tasks) // columns)
    figure = Figure(figsize=(2.7 * columns, 2.2 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).flatten()
    for panel in panels[len(tasks) :]:
        panel.set_axis_off()
    for panel, task in zip(panels, tasks, strict=False):
        wanted = losses or (task.chosen.handmade, OURS, *CONTROLS)
        shades = iter(HANDMADE)
        for loss in wanted:
            if loss in task.losses and task.tested(loss):
                draw(panel, task, loss, COLOURS.get(loss) or next(shades, "black"))
        panel.set_title(task.task.key, fontsize=8)
        panel.tick_params(labelsize=7)
        if panel.get_legend_handles_labels()[0]:
            panel.legend(frameon=False, fontsize=6)
    figure.supxlabel("epoch", fontsize=8)
    return figure


def draw(panel: Axes, task: Comparison, loss: str, colour: str) -> None:
    runs = [outcome.epochs for outcome in task.tested(loss) if outcome.failure is None]
    for part, style in (("train", "--"), ("validation", "-")):
        epochs = [[getattr(epoch, part) for epoch in column] for column in zip(*runs, strict=True)]
        points = [mean(column) if None not in column else float("nan") for column in epochs]
        label = loss if part == "validation" else None
        panel.plot(range(1, len(points) + 1), points, style, color=colour, linewidth=1.1, label=label)

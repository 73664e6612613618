"""PCKh by the width of the bump that squared error is measured to, beside losses that have no width to choose."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from bench.handmade.heatmaps import SIGMAS
from bench.report.comparison import Comparison

WITHOUT = {"integrated": "#1f5fa8", "idw": "#c46210", "pull": "#7a7a7a", "softmax-region": "#2a7f3b"}


def task_of(tasks: Sequence[Comparison]) -> Comparison | None:
    """The task that was run at every width."""
    wanted = {f"mse-{sigma:g}" for sigma in SIGMAS}
    return next((task for task in tasks if wanted <= {loss for loss in task.losses if task.values(loss)}), None)


def sensitivity(task: Comparison) -> Figure:
    """Mean and standard error over the seeds."""
    figure = Figure(figsize=(6, 3.4), layout="constrained")
    panel = figure.subplots()
    found = [task.value(f"mse-{sigma:g}") for sigma in SIGMAS]
    means, errors = [], []
    for estimate in found:
        assert estimate is not None
        means.append(estimate.mean)
        errors.append(estimate.error or 0.0)
    panel.errorbar(SIGMAS, means, errors, fmt="o-", color="black", markersize=4, capsize=2, label="squared error")
    for loss, colour in WITHOUT.items():
        value = task.value(loss) if loss in task.losses else None
        if value is not None:
            panel.axhline(value.mean, color=colour, linewidth=1.2, label=loss)
    panel.set_xscale("log")
    panel.set_xticks(SIGMAS, [f"{sigma:g}" for sigma in SIGMAS])
    panel.minorticks_off()
    panel.set_xlabel("σ of the bump, in pixels")
    panel.set_ylabel("PCKh on test data")
    panel.legend(frameon=False, fontsize=7)
    return figure

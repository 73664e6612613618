"""What the full runs would take, and the figure of the width of the bump, on the results page."""

from __future__ import annotations

import json
from pathlib import Path

from bench.core.record import Outcome, Run
from bench.handmade.heatmaps import SIGMAS
from bench.report import full_runs, sigmas
from bench.report.comparison import Comparison
from bench.report.figures import svg
from bench.tasks import named


def test_estimates_are_shown(tmp_path: Path) -> None:
    file = tmp_path / "estimate.json"
    run = {"batch": 128, "steps": 1000, "seconds_a_step": {"ce": 0.36}, "hours": {"ce": 0.1}}
    file.write_text(json.dumps({"device": "a CPU", "steps": 3, "runs": {"somewhere": run}}))
    assert "| somewhere | 1,000 | ce | 0.360 | 0.1 |" in full_runs.section(file)


def outcome(loss: str, seed: int, test: float) -> Outcome:
    return Outcome(Run("pose", loss, 1e-2, seed), (), test, test, 1.0, 1.0, None, {}, {})


def test_the_figure_has_every_width_and_needs_them_all() -> None:
    losses = [f"mse-{sigma:g}" for sigma in SIGMAS] + ["integrated"]
    every = tuple(outcome(loss, seed, 0.5 + 0.1 * seed) for loss in losses for seed in (0, 1, 100, 101))
    task = Comparison(named("pose"), every)
    assert sigmas.task_of([task]) is task
    drawn = svg(sigmas.sensitivity(task))
    assert drawn == svg(sigmas.sensitivity(task))
    assert "integrated" in drawn and "idw" not in drawn
    missing = Comparison(named("pose"), tuple(o for o in every if o.run.loss != "mse-3"))
    assert sigmas.task_of([missing]) is None

"""The results page is what the committed runs say, and its arithmetic is right."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib
import pytest

from bench.core.losses import ROOT
from bench.core.record import Epoch, Outcome, Run, every, write
from bench.core.sweep import DESCENT, TEST_SEEDS
from bench.report.comparison import Comparison, beyond_one_error, comparisons, verdict
from bench.report.page import build
from bench.report.tables import drop_in_table, gain, main_table
from bench.tasks import groups, named
from bench.tasks.learning import TASKS

RUNS = ROOT / "bench" / "runs"
COST = named("expected-cost")  # lower is better


@pytest.fixture(scope="module")
def built() -> dict[str, str]:
    return build(RUNS)


def test_the_committed_page_is_what_the_committed_runs_give(built: dict[str, str]) -> None:
    assert (ROOT / "docs" / "results.md").read_text() == built["results.md"], "python -m bench.report"


def test_the_development_page_is_there_where_its_runs_are_and_is_what_they_give(built: dict[str, str]) -> None:
    page = ROOT / "docs" / "development.md"
    assert page.exists() == ("development.md" in built), "python -m bench.report"
    assert not page.exists() or page.read_text() == built["development.md"], "python -m bench.report"


def test_the_committed_figures_are_what_the_committed_runs_give(built: dict[str, str]) -> None:
    names = set(re.findall(r"\(figures/(\w+\.svg)\)", built["results.md"]))
    assert {f"figures/{name}" for name in names} == built.keys() - {"results.md", "development.md"}
    for name in names:
        committed = (ROOT / "docs" / "figures" / name).read_text()
        if f"Matplotlib v{matplotlib.__version__}," in committed:  # another version draws another text
            assert committed == built[f"figures/{name}"], "python -m bench.report"


def test_every_learning_task_was_run_with_every_loss_on_all_seeds() -> None:
    tasks = comparisons(TASKS, every(RUNS / "learning"))
    assert [task.task.key for task in tasks] == [task.key for task in TASKS]
    for task in tasks:
        assert {*task.task.handmade, "integrated", "idw", "pull"} <= set(task.losses)
        for loss in task.losses:
            assert len(task.tested(loss)) == len(TEST_SEEDS), (task.task.key, loss)
            assert len(task.tested(loss, task.rate)) == len(TEST_SEEDS) or loss in task.task.handmade, (
                task.task.key,
                loss,
            )


def test_every_task_under_gradient_descent_was_run_on_all_seeds() -> None:
    wanted = groups()["descent"]
    tasks = comparisons(wanted, every(RUNS / "descent"))
    assert [task.task.key for task in tasks] == [task.key for task in wanted]
    for task in tasks:
        assert {*task.task.handmade, *DESCENT.compiled} <= set(task.losses)
        assert {o.settings["optimizer"] for o in task.outcomes} == {"SGD"}
        assert all(len(task.tested(loss)) == len(DESCENT.seeds) for loss in task.losses)
        assert len(task.tested("integrated", task.rate)) == len(DESCENT.seeds)


def outcome(loss: str, rate: float, seed: int, value: float | None) -> Outcome:
    epochs = (Epoch(1.0, value, value),)
    versions = {"python": "3", "torch": "2", "numpy": "2", "commit": "abc"}
    failure = "the loss of step 3 is nan" if value is None else None
    return Outcome(Run(COST.key, loss, rate, seed), epochs, value, value, 1.0, 1.0, failure, {}, versions)


def made() -> list[Outcome]:
    """soft-cost is best at 0.01 and integrated at 0.1; at 0.01 integrated is worse and breaks down once."""
    tuning = [
        outcome(loss, rate, seed, value)
        for loss, values in {"soft-cost": (0.5, 0.6), "ce": (0.9, 0.8), "integrated": (0.7, 0.4)}.items()
        for rate, value in zip((0.01, 0.1), values, strict=True)
        for seed in (100, 101)
    ]
    tests = [
        *(outcome("soft-cost", 0.01, seed, 0.5 + seed / 10) for seed in range(3)),
        *(outcome("ce", 0.1, seed, 0.8 + seed / 10) for seed in range(3)),
        *(outcome("integrated", 0.1, seed, 0.4 + seed / 10 + 0.001 * seed) for seed in range(3)),
        *(outcome("integrated", 0.01, seed, 0.7 + seed / 10 if seed else None) for seed in range(3)),
    ]
    return tuning + tests


def test_gains_are_positive_where_ours_is_better_also_where_a_low_metric_is_good() -> None:
    (task,) = comparisons([COST], made())
    assert task.chosen.handmade == "soft-cost" and task.rate == 0.01
    found = task.gain("integrated", "soft-cost")
    assert found is not None and found.count == 3
    assert found.mean == pytest.approx(0.099)
    assert verdict(found) == "better" and not beyond_one_error(found)
    assert gain(found).startswith("+0.099 ± 0.001 (p ") and gain(found).endswith(") **+**")


def test_a_drop_in_is_compared_at_the_hand_made_rate_and_broken_runs_are_counted() -> None:
    (task,) = comparisons([COST], made())
    found = task.gain("integrated", "soft-cost", task.rate)
    assert found is not None and found.count == 2
    assert found.mean == pytest.approx(-0.2)
    assert task.broken("integrated", task.rate) == 1 and task.broken("integrated") == 0
    assert "| no |" in drop_in_table([task])
    assert "soft-cost 0.600 ± 0.058" in main_table([task])


def test_a_loss_that_was_not_run_is_shown_as_a_dash() -> None:
    (task,) = comparisons([COST], [o for o in made() if o.run.loss != "integrated"])
    assert isinstance(task, Comparison)
    assert main_table([task]).count("| – |") >= 1


def test_the_page_is_the_same_each_time(tmp_path: Path) -> None:
    for found in made():
        write(found, tmp_path / "learning")
    first, second = build(tmp_path), build(tmp_path)
    assert first == second
    assert "# Results" in first["results.md"] and "figures/gains.svg" in first

"""The development tasks: metrics of their own spelling, compiled exactly; seeds of their own; a page, and two engines compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from bench.compare import Change, changes, main
from bench.core.losses import METRICS, ROOT, class_of, compile_metrics, metric_file, metric_of
from bench.core.record import Epoch, Outcome, Run, write
from bench.core.sweep import DEVELOPED, PLANS, losses_of
from bench.core.task import BUNDLED, Task
from bench.core.training import measured
from bench.learning import main as learning
from bench.report.comparison import comparisons
from bench.report.development import page
from bench.report.page import build
from bench.tasks import named
from bench.tasks.development import TASKS

RUNS = ROOT / "bench" / "runs"
PROFIT, ERROR = named("dev-profit"), named("dev-equal-error-bent")  # of the second, lower is better


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    compile_metrics(TASKS)


def test_every_metric_of_the_folder_is_a_task_and_no_name_is_taken_twice() -> None:
    examples, own = ({path.stem for path in folder.glob("*.py")} for folder in METRICS)
    assert own <= {task.metric for task in TASKS} <= examples | own
    assert not examples & own
    with pytest.raises(FileNotFoundError, match=r"0 files called f3\.py"):
        metric_file("f3")


def test_the_tasks_say_what_they_are_and_have_seeds_of_their_own() -> None:
    assert all(task.development and not task.fresh and task.key.startswith("dev-") for task in TASKS)
    assert all(len(task.handmade) >= 2 and ("lower" in task.title) != task.maximize for task in TASKS)
    others = {seed for plan in PLANS if plan != DEVELOPED for seed in (*plan.seeds, *plan.tuning)}
    assert not others & {*DEVELOPED.seeds, *DEVELOPED.tuning}
    assert len({*DEVELOPED.seeds, *DEVELOPED.tuning}) == 12


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.key)
def test_the_compiled_metric_is_the_metric_also_with_ties(task: Task) -> None:
    torch.manual_seed(0)
    first, *targets = (array[: task.batch_size] for array in task.split(DEVELOPED.tuning[0], BUNDLED).train)
    shape = task.network()(first).shape
    criterion = class_of(task)(generator=torch.Generator().manual_seed(0))
    elsewhere = torch.randn(shape)
    for scores in (torch.randn(shape), (2 * torch.randn(shape)).round() / 2):
        expected = pytest.approx(float(measured(task, metric_of(task), scores, targets)), rel=1e-6)
        configuration = criterion.record(scores, *targets)
        assert float(criterion.replay(configuration, elsewhere, *targets)) == expected
        trained = scores.clone().requires_grad_()
        criterion(trained, *targets).backward()
        assert float(criterion.metric) == expected
        assert trained.grad is not None and torch.isfinite(trained.grad).all() and trained.grad.abs().sum() > 0


def test_the_switch_runs_the_tasks_with_seeds_and_losses_of_their_own(tmp_path: Path) -> None:
    given = ["--development", "--task", PROFIT.key, "--workers", "1", "--out", str(tmp_path), "--compiled", "pull"]
    told = CliRunner().invoke(learning, [*given, "--tune"])
    assert told.exit_code == 0, told.output
    assert {path.name for path in (tmp_path / PROFIT.key).iterdir()} == {*PROFIT.handmade, "pull"}
    seeds = {path.name.partition("_")[0] for path in tmp_path.rglob("*.json")}
    assert seeds == {f"seed{seed}" for seed in DEVELOPED.tuning}


def test_one_comparison_at_a_time_and_names_of_its_own_group() -> None:
    told = CliRunner().invoke(learning, ["--development", "--sgd"])
    assert told.exit_code == 2 and "one at a time" in told.output
    told = CliRunner().invoke(learning, ["--development", "--task", "kappa"])
    assert told.exit_code == 2 and "no development task is called 'kappa'; did you mean 'dev-kappa'?" in told.output


def outcome(task: Task, loss: str, rate: float, seed: int, value: float | None) -> Outcome:
    failure = "the loss of step 3 is nan" if value is None else None
    versions = {"python": "3", "torch": "2", "numpy": "2", "commit": "abc"}
    run = Run(task.key, loss, rate, seed)
    return Outcome(run, (Epoch(1.0, value, value),), value, value, 1.0, 1.0, failure, {}, versions)


def made(task: Task, shift: float = 0.0) -> list[Outcome]:
    """Every loss is best at 0.03; `integrated` has 0.6 there and `shift`, 0.5 elsewhere, and spreads by seed."""
    found = []
    for loss in losses_of(task, DEVELOPED.compiled):
        level = 0.6 + shift if loss == "integrated" else 0.55
        for rate in (0.01, 0.03, 0.1):
            best = level if rate == 0.03 else 0.5
            for seed in (*DEVELOPED.tuning, *(DEVELOPED.seeds if rate == 0.03 else ())):
                value = best + np.sin(seed + len(loss)) / 100
                found.append(outcome(task, loss, rate, seed, value if task.maximize else 1 - value))
    return found


def test_the_page_has_a_row_a_task_and_is_written_only_where_there_are_runs(tmp_path: Path) -> None:
    assert "development.md" not in build(tmp_path)
    for one in (*made(PROFIT), *made(ERROR)):
        write(one, tmp_path / "development")
    text = build(tmp_path)["development.md"]
    assert text == page(comparisons(TASKS, [*made(PROFIT), *made(ERROR)], DEVELOPED))
    assert "last set on these 2 tasks" in text and "seeds 300, 301, 302 and 303. Seeds 310 to 317" in text
    rows = [line for line in text.splitlines() if "(`dev-" in line]
    assert [row.count("+0.05") for row in rows] == [2, 2]  # at its own rate and as a drop-in
    assert "better on 2, tied on 0, worse on 0" in text


def folders(tmp_path: Path, task: Task, shift: float) -> tuple[Path, Path]:
    before, after = tmp_path / "before", tmp_path / "after"
    for folder, by in ((before, 0.0), (after, shift)):
        for one in made(task, by):
            write(one, folder)
    return before, after


@pytest.mark.parametrize("task", [PROFIT, ERROR], ids=lambda task: task.key)
def test_two_folders_are_compared_at_the_same_rate_and_seed(task: Task, tmp_path: Path) -> None:
    (change,) = changes(*folders(tmp_path, task, 0.03), "integrated")
    assert change.rates == [0.01, 0.03, 0.1] and change.best == [0.03]
    for found, expected, count in (
        (change.at_own(), 0.03, 8),
        (change.at(change.best), 0.03, 4),
        (change.at(change.rates), 0.01, 4),
    ):
        assert found is not None
        assert found.mean == pytest.approx(expected, abs=1e-4) and found.count == count
    (unchanged,) = changes(tmp_path / "before", tmp_path / "after", "pull")
    own = unchanged.at_own()
    assert own is not None and own.mean == 0 and own.p == 1.0


def test_where_one_was_only_tuned_the_seeds_of_the_search_are_compared(tmp_path: Path) -> None:
    (change,) = changes(*folders(tmp_path, PROFIT, 0.03), "integrated")
    tuned = tuple(o for o in change.after.outcomes if o.run.seed in DEVELOPED.tuning)
    found = replace(change, after=replace(change.after, outcomes=tuned)).at_own()
    assert found is not None and found.count == 4 and found.mean == pytest.approx(0.03, abs=1e-4)


def test_a_seed_at_which_a_run_broke_down_is_left_out(tmp_path: Path) -> None:
    (change,) = changes(*folders(tmp_path, PROFIT, 0.03), "integrated")
    first = DEVELOPED.tuning[0]
    kept = tuple(
        o for o in change.after.outcomes if (o.run.loss, o.run.learning_rate, o.run.seed) != ("integrated", 0.1, first)
    )
    broken = Change(
        change.before,
        replace(change.after, outcomes=(*kept, outcome(PROFIT, "integrated", 0.1, first, None))),
        "integrated",
    )
    found = broken.at(broken.rates)
    assert found is not None and found.count == 3 and found.mean == pytest.approx(0.01, abs=1e-4)


def test_the_comparison_is_a_table_and_three_counts(tmp_path: Path) -> None:
    before, after = folders(tmp_path, PROFIT, -0.03)
    told = CliRunner().invoke(main, [str(before), str(after)], env={"COLUMNS": "220"})
    assert told.exit_code == 0, told.output
    assert "dev-profit" in told.output and "-0.030" in told.output
    assert told.output.count("worse on 1") == 3
    told = CliRunner().invoke(main, [str(before), str(RUNS / "learning")])
    assert told.exit_code == 1 and "no task has runs of integrated in both" in told.output

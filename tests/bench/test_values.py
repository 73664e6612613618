"""Interpolants read at other configurations, and the two measurements that are made with it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from bench import correlation, table1
from bench.table1 import CONTROL, Pairs, systems
from bench.values import approximated, turned
from examples.metrics.average_precision import average_precision
from metric2loss import compile_metric
from metric2loss.runtime.problem import Problem


@pytest.fixture
def problem() -> Problem:
    torch.manual_seed(0)
    criterion = compile_metric(average_precision)("idw", generator=torch.Generator().manual_seed(0))
    found: Problem = criterion.problem(torch.randn(40, requires_grad=True), (torch.arange(40) % 4 == 0).long())
    return found


@pytest.mark.parametrize("count", [0, 1, 7, 300])
def test_so_many_binaries_are_turned(problem: Problem, count: int) -> None:
    found = turned(problem.bits, count, 5, torch.Generator().manual_seed(0))
    assert (found != problem.bits).sum(1).tolist() == [count] * 5
    assert count in (0, 300) or len({tuple(row.tolist()) for row in found}) == 5


def test_the_multilinear_extension_is_exact_at_configurations_and_the_control_never_moves(problem: Problem) -> None:
    at = turned(problem.bits, 40, 6, torch.Generator().manual_seed(0))
    true = problem.values_of(at).tolist()
    assert np.ptp(true) > 0.01
    assert approximated(systems()["multilinear"], problem, at) == pytest.approx(true)
    assert approximated(systems()[CONTROL], problem, at) == pytest.approx([problem.metric] * 6)


@pytest.mark.parametrize("name", ["idw", "idw, power 2", "idw, power 4"])
def test_interpolation_is_exact_at_its_anchors(problem: Problem, name: str) -> None:
    best = problem.best.unsqueeze(0)
    assert approximated(systems()[name], problem, best) == pytest.approx([problem.best_value])
    away = approximated(systems()[name], problem, ~best)
    assert abs(away[0] - float(problem.values_of(~best)[0])) > 1e-3


def test_correlations_are_over_all_pairs_and_within_steps() -> None:
    pairs = Pairs(np.array([[1.0, 2.0], [11.0, 12.0]]), np.array([[2.0, 1.0], [22.0, 21.0]]))
    assert pairs.rank() == pytest.approx(0.6)
    assert pairs.within() == pytest.approx(-1.0)
    assert pairs.error() == pytest.approx(np.sqrt((1 + 1 + 121 + 81) / 4))
    same = Pairs(np.ones((2, 2)), np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert same.rank() is None and same.within() == 0.0


def test_table_1_is_measured_and_written(tmp_path: Path) -> None:
    out = tmp_path / "table1.json"
    answer = CliRunner().invoke(
        table1.main, ["--steps", "1", "--samples", "2", "--out", str(out)], catch_exceptions=False
    )
    assert answer.exit_code == 0, answer.output
    found = json.loads(out.read_text())["tasks"]
    for task in table1.TASKS:
        assert found[task]["systems"]["multilinear"]["error"] == pytest.approx([0] * 6, abs=1e-4)
        assert set(found[task]["systems"]) == set(systems())


def test_the_network_is_asked_on_batches_it_has_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(correlation, "TRAINING", 3)
    monkeypatch.setattr(correlation, "UNSEEN", 2)
    found = correlation.measure(correlation.CASES["average precision"])
    assert {name: len(values) for name, values in found.items()} == {"alone": 2, "rank": 2, "value": 2}
    assert min(found["alone"]) > 0.5  # more agreement with the best ranking is a better average precision


@pytest.mark.parametrize("name", correlation.CASES)
def test_batches_fit_their_metrics_and_vary(name: str) -> None:
    torch.manual_seed(0)
    case = correlation.CASES[name]
    criterion = correlation.compile_metric(f"examples.metrics.{case.metric}")()
    values = [correlation.problem_of(criterion, case).metric for _ in range(3)]
    assert len(set(values)) > 1

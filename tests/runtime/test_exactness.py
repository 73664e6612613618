"""metric == record == replay, and SWAP, on floats, ties, equal scores; many configurations at once equal the plain loop."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from tests.runtime.hand_written import CASES

KINDS = ("random", "ties", "equal")


def metric_of(case, arguments):
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(case.metric(*arguments))


def close(a, b):
    return a == pytest.approx(b, rel=1e-6, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CASES)
def test_metric_equals_replay_of_the_recorded_binaries(name, kind):
    case, rng = CASES[name], np.random.default_rng(0)
    loss = case.loss()
    for _ in range(4):
        arguments = case.arguments(rng, kind)
        configuration = loss.record(*arguments)
        assert close(float(loss.replay(configuration, *arguments)), metric_of(case, arguments))


@pytest.mark.parametrize("name", CASES)
def test_swap_binaries_of_other_scores_give_the_metric_of_those(name):
    case, rng = CASES[name], np.random.default_rng(1)
    loss = case.loss()
    for kind in ("random", "ties"):
        there, here = case.arguments(rng, kind), case.arguments(rng, "random")
        configuration = loss.record(*there)
        assert close(float(loss.replay(configuration, *here)), metric_of(case, there))


@pytest.mark.parametrize("name", CASES)
def test_many_configurations_at_once_equal_the_loop(name):
    case, rng = CASES[name], np.random.default_rng(2)
    loss = case.loss()
    arguments = case.arguments(rng, "random")
    problem = loss.problem(*arguments)
    draw = torch.Generator().manual_seed(0)
    dense = torch.rand(40, problem.size, generator=draw) < 0.5
    flips = torch.randint(-1, problem.size, (40, 3), generator=draw)
    together = problem.values_of(dense), problem.values(problem.bits, flips)
    if case.batching != "any":
        assert loss._batching["g"].way == case.batching, loss.batching
    loss._batching["g"].settle("loop", "for this test")
    assert torch.allclose(problem.values_of(dense), together[0], rtol=1e-5, atol=1e-7, equal_nan=True)
    assert torch.allclose(problem.values(problem.bits, flips), together[1], rtol=1e-5, atol=1e-7, equal_nan=True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CASES)
def test_value_and_gradient_are_finite(name, kind):
    case = CASES[name]
    arguments = case.arguments(np.random.default_rng(3), kind)
    scores = torch.as_tensor(arguments[0]).clone().requires_grad_()
    loss = case.loss(generator=torch.Generator().manual_seed(0))
    value = loss(scores, *arguments[1:])
    value.backward()
    assert float(value.detach()) >= 0
    assert bool(torch.isfinite(scores.grad).all())
    assert close(float(loss.metric), metric_of(case, arguments))


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if hasattr(case.loss, "rows")])
def test_rows_are_found_to_be_rows(name):
    case = CASES[name]
    loss = case.loss()
    problem = loss.problem(*case.arguments(np.random.default_rng(4), "random"))
    assert loss.report()["separable"] is True, loss.report()
    rows = problem.row_values_of(problem.bits.unsqueeze(0))
    assert rows.shape == (1, problem.n_rows)
    assert close(float(rows.mean()), problem.metric)
    assert len(problem.row_of) == problem.size


def test_binaries_are_as_many_as_the_paper_counts():
    rng = np.random.default_rng(0)
    counts = {name: len(CASES[name].loss().record(*CASES[name].arguments(rng, "random")).flat) for name in CASES}
    assert counts["accuracy"] == 12 * 4
    labels = CASES["average_precision"].arguments(rng, "random")[1]
    assert counts["average_precision"] == labels.sum() * (1 - labels).sum()
    assert counts["macro_f1"] == 15 * 4 * 3 / 2
    assert counts["f1"] == 20
    assert counts["pairwise_accuracy"] % 2 == 0

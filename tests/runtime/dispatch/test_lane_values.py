"""Numbers in lanes meet as they meet one by one: Python's own take the type of NumPy's, truth values of Python add up."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from metric2loss import compile_metric
from metric2loss.routes import Request, dispatched_loss
from tests.runtime.dispatch.test_loops import N, agrees, criterion_of, ran_at_once


def thresholds_of_single_precision(scores, labels):
    scores, total = scores.astype(np.float32), 0
    for step in range(10):
        for score, label in zip(scores, labels):
            if score >= step * 0.125 + 0.001 * 0:
                total += 1
            if score - step * 0.1 >= 0:
                total += 1
    return total


def a_list_of_thresholds(scores, labels):
    scores, total = scores.astype(np.float32), 0
    for edge in [0.1, 0.3, 0.375, 0.6, 0.7]:
        for score in scores:
            if score >= edge:
                total += 1
    return total


def weights_of_single_precision(scores, labels):
    total, weights = 0.0, (np.arange(N) / 7).astype(np.float32)
    for score, weight in zip(scores, weights):
        if score > 0.4:
            total += weight
    return total


def truth_values_of_python(scores, labels):
    total, relevant = 0, [bool(label) for label in labels]
    for i in range(N - 1):
        total += bool(scores[i] > 0.5) + bool(scores[i] > 0.25)
        if scores[i] > 0.4:
            total += (i > 2) + (i > 5) + (relevant[i] + relevant[i + 1])
    return total


def truth_values_of_numpy(scores, labels):
    total = 0
    for score in scores:
        total -= (score > 0.5) + (score > 0.25)
    return total


def counted_from_elsewhere(scores, labels):
    total = 0
    for i in range(3):
        for k, j in enumerate(range(i), i):
            if scores[j] > 0.4:
                total += k
    return total


EXACT_AT_ONCE = (
    counted_from_elsewhere,
    thresholds_of_single_precision,
    a_list_of_thresholds,
    weights_of_single_precision,
    truth_values_of_python,
    truth_values_of_numpy,
)


@pytest.mark.parametrize("metric", EXACT_AT_ONCE, ids=lambda metric: metric.__name__)
def test_numbers_meet_as_they_do_one_by_one(metric, monkeypatch):
    found = ran_at_once(monkeypatch)
    agrees(criterion_of(metric), metric)
    assert found


def set_by_an_inner_iteration(scores, labels):
    total = 0
    for _ in range(2):
        least = 0.5
        for j in range(N):
            total += scores[j] > least
            if j == 3:
                least = 0.7
    return total


def one_of_two_numbers(scores, labels):
    total = 0
    for i in range(N):
        weight = labels[i] or 5
        if scores[i] > 0.4:
            total += weight
    return total


def rows_are_added(scores, labels):
    total, weights = 0.0, np.arange(N) * 1.0
    for i in range(N):
        if scores[i] > 0.4:
            total += weights * labels[i]
    return np.sum(total)


def rows_are_looked_up(scores, labels):
    total, order, grid = 0.0, np.arange(N), np.arange(N * N).reshape(N, N) * 1.0
    for i in range(N):
        if scores[i] > 0.4:
            total += grid[order, i]
    return np.max(total)


def narrow_integers(scores, labels):
    total, weights = 1000.0, np.full(N, 100, dtype=np.uint8)
    for i in range(N):
        if scores[i] > 0.4:
            total -= weights[i] // 2
    return total


def narrow_sums_wrap(scores, labels):
    total, weights = 0, np.full(N, 100, dtype=np.uint8)
    for i in range(N):
        if scores[i] > 0.4:
            total += weights[i]
    return total


EXACT = (
    set_by_an_inner_iteration,
    one_of_two_numbers,
    rows_are_added,
    rows_are_looked_up,
    narrow_integers,
    narrow_sums_wrap,
)


@pytest.mark.filterwarnings("ignore:overflow encountered")
@pytest.mark.parametrize("metric", EXACT, ids=lambda metric: metric.__name__)
def test_what_lanes_would_change_runs_as_it_is_or_is_exact(metric):
    agrees(criterion_of(metric), metric)


def abs(x):  # a name of Python's that a module may give to something else
    return 0.0


def own_name(scores, labels):
    total = 0
    for score in scores:
        if abs(score - 0.5) > 0.2:
            total += 1
        if score > 0.3:
            total += 1
    return total


def test_a_name_that_the_module_defines_is_not_pythons(monkeypatch):
    found = ran_at_once(monkeypatch)
    agrees(criterion_of(own_name), own_name)
    assert not found


def counted(scores, labels):
    return (scores > 0.4).mean()


def one_by_one(scores, labels):
    return sum(score > 0.4 for score in scores) / len(scores)


def of_python(scores, labels):
    return sum(score > 0.4 for score in scores.tolist()) / len(scores)


def replayed(criterion, scores, labels):
    return float(criterion.replay(criterion.record(scores, labels), scores, labels))


@pytest.mark.parametrize("metric", (counted, one_by_one, of_python), ids=lambda metric: metric.__name__)
def test_a_threshold_is_met_in_the_precision_of_the_scores(metric):
    scores, labels = np.array([0.4, 0.3, 0.5, 0.4], dtype=np.float32), np.array([0, 1, 1, 0])
    assert replayed(criterion_of(metric), scores, labels) == float(metric(scores, labels))
    if metric is not of_python:
        assert replayed(compile_metric(metric, direction="maximize")(), scores, labels) == float(metric(scores, labels))


def into_a_buffer(scores, labels):
    found = np.zeros(2 * len(scores))
    found[::2] = scores
    return (found > 0.6).mean()


def test_scores_of_a_model_are_written_into_a_buffer_at_the_first_call():
    criterion = dispatched_loss(into_a_buffer, Request(direction="maximize", example=None))()
    scores = torch.linspace(0.05, 0.95, N, dtype=torch.float64, requires_grad=True)
    criterion(scores, np.arange(N) % 2).backward()
    assert float(criterion.metric) == into_a_buffer(scores.detach().numpy(), None)
    assert scores.grad.isfinite().all() and scores.grad.any()

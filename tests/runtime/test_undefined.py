"""A batch on which the metric itself has no value (0/0) teaches to reach configurations where it has one."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from metric2loss import compile_metric
from metric2loss.runtime import interpolants


def f1_at_5(scores, labels):
    top = np.argsort(-scores)[:5]
    hits = labels[top].sum()
    precision, recall = hits / 5, hits / labels.sum()
    return 2 * precision * recall / (precision + recall)


def mean_f1(scores, labels):
    found = []
    for row, relevant in zip(scores, labels):
        hits = relevant[np.argsort(-row)[:3]].sum()
        precision, recall = hits / 3, hits / relevant.sum()
        found.append(2 * precision * recall / (precision + recall))
    return np.mean(found)


def precision_torch(scores, labels):
    predicted = scores > 0.0
    return (predicted & (labels == 1)).sum() / predicted.sum()


def error_of_chosen(scores, errors):
    chosen = scores > 0.0
    return errors[chosen].sum() / chosen.sum()


def weighted_precision(scores, labels):
    predicted = scores > 0.0
    return (predicted * labels * torch.sigmoid(scores)).sum() / (predicted * torch.sigmoid(scores)).sum()


LABELS = torch.tensor([1.0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0])
NO_HIT = torch.linspace(-1, 1, 12, dtype=torch.float64) - 1.5 * LABELS.double()


def loss_of(metric, direction="maximize", name="integrated"):
    return compile_metric(metric, direction=direction)(name, generator=torch.Generator().manual_seed(0))


def one(criterion, scores, *others):
    leaf = scores.clone().requires_grad_()
    loss = criterion(leaf, *others)
    loss.backward()
    return float(loss.detach()), leaf.grad


@pytest.mark.parametrize("name", [name for name in interpolants.NAMES if name != "direct"])
def test_the_loss_is_the_distance_from_the_worst_value_and_pulls_hits_up(name):
    criterion = loss_of(f1_at_5, name=name)
    value, gradient = one(criterion, NO_HIT, LABELS)
    assert np.isnan(float(criterion.metric))
    assert 0 < value <= criterion.best_value + 1e-9
    assert bool(torch.isfinite(gradient).all())
    assert float(gradient[LABELS == 1].mean()) < 0 < float(gradient[LABELS == 0].mean())


def test_training_leaves_the_batch_without_a_value():
    criterion, scores = loss_of(f1_at_5), NO_HIT.clone().requires_grad_()
    optimizer = torch.optim.Adam([scores], lr=0.1)
    for _ in range(60):
        optimizer.zero_grad()
        criterion(scores, LABELS).backward()
        optimizer.step()
    assert float(criterion.metric) == pytest.approx(criterion.best_value)


def test_a_row_without_a_value_counts_as_the_worst_beside_the_others():
    labels = torch.tensor([[1, 0, 0, 1, 0, 0, 0, 0], [0, 1, 1, 0, 0, 0, 0, 0]])
    scores = torch.linspace(-1, 1, 8, dtype=torch.float64).repeat(2, 1) - 3.0 * labels * torch.tensor([[1], [-1]])
    criterion = loss_of(mean_f1)
    value, gradient = one(criterion, scores, labels)
    assert np.isnan(float(criterion.metric))
    assert value == pytest.approx(criterion.best_value - (0 + 0.8) / 2)
    assert float(gradient[0].abs().sum()) > 0
    assert float(gradient[0][labels[0] == 1].mean()) < 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_nothing_predicted(dtype):
    scores = torch.full((6,), -1.0, dtype=dtype)
    labels = torch.tensor([1, 0, 1, 0, 0, 0])
    criterion = loss_of(precision_torch)
    value, gradient = one(criterion, scores, labels)
    assert torch.isnan(criterion.metric)
    assert value == pytest.approx(1.0)
    assert float(gradient[labels == 1].max()) < 0


def test_an_error_has_no_zero_to_stand_for_the_worst():
    errors = torch.tensor([0.2, 3.0, 1.0, 2.0], dtype=torch.float64)
    criterion = loss_of(error_of_chosen, "minimize")
    value, gradient = one(criterion, torch.full((4,), -1.0, dtype=torch.float64), errors)
    assert np.isnan(float(criterion.metric))
    assert 0 < value < 3.0
    assert float(gradient[0]) < 0


def test_scores_that_also_reach_the_result_as_numbers():
    labels = torch.tensor([1.0, 0, 1, 0], dtype=torch.float64)
    criterion = loss_of(weighted_precision)
    value, gradient = one(criterion, torch.full((4,), -1.0, dtype=torch.float64), labels)
    assert torch.isnan(criterion.metric)
    assert value > 0
    assert bool(torch.isfinite(gradient).all())
    assert float(gradient[labels == 1].max()) < 0


def test_a_metric_without_a_value_whatever_the_scores_teaches_nothing():
    criterion = loss_of(f1_at_5)
    one(criterion, NO_HIT, LABELS)
    value, gradient = one(criterion, NO_HIT, torch.zeros(12))
    assert value == 0
    assert not bool(gradient.any())


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=6, max_size=14))
def test_loss_and_gradient_are_finite_wherever_the_metric_is_not(drawn):
    scores = torch.tensor([float(score) for score, _ in drawn], dtype=torch.float64)
    labels = torch.tensor([float(label) for _, label in drawn])
    criterion = loss_of(f1_at_5)
    value, gradient = one(criterion, scores, labels)
    assert np.isfinite(value)
    assert bool(torch.isfinite(gradient).all())
    with np.errstate(all="ignore"):
        assert np.allclose(float(criterion.metric), f1_at_5(scores.numpy(), labels.numpy()), equal_nan=True)
    if 0 < labels.sum() < len(labels) - 5 and np.isnan(float(criterion.metric)):
        assert value > 0
        assert bool(gradient.any())

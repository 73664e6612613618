"""Own code as people write it: f and g together are the metric, whatever names, loops and unpacking it has."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from metric2loss import compile_metric
from metric2loss.routes import Request, dispatched_loss
from tests.analysis import written


@pytest.mark.parametrize("metric", written.METRICS, ids=lambda metric: metric.__name__)
def test_values_are_the_metrics_and_gradients_are_there(metric):
    criterion = compile_metric(metric, direction="maximize")()
    for seed in range(4):
        draw = torch.Generator().manual_seed(seed)
        scores = torch.randn(24, 3, generator=draw)
        scores = ((scores * 2).round() / 2 if seed % 2 else scores).requires_grad_()
        labels = torch.randint(0, 3, (24,), generator=draw)
        criterion(scores, labels).backward()
        torch_only = metric in written.IN_TORCH
        given = (scores.detach(), labels) if torch_only else (scores.detach().numpy(), labels.numpy())
        exact = float(metric(*given))
        configuration = criterion.record(scores, labels)
        again = criterion.replay(configuration.with_flat(configuration.flat), scores, labels)
        assert float(criterion.metric) == float(again) == exact
        assert scores.grad.abs().sum() > 0


def nothing_below(scores, labels):
    cut = np.sort(scores[labels == 1])
    if len(cut) == 0:
        return 1.0
    return (scores[labels == 0] < cut[0]).sum() / len(labels)


def nothing_below_in_torch(scores, labels):
    cut, _ = scores[labels == 1].sort()
    if not len(cut):
        return torch.tensor(1.0)
    return (scores[labels == 0] < cut[0]).sum() / len(labels)


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("metric", [nothing_below, nothing_below_in_torch])
def test_an_order_of_nothing_is_an_order(metric, live):
    request = Request(scores=("scores",), direction="maximize")
    criterion = (dispatched_loss(metric, request) if live else compile_metric(metric, direction="maximize"))()
    for amount in (8, 0, 20):
        scores = torch.randn(20, generator=torch.Generator().manual_seed(amount), requires_grad=True)
        labels = (torch.arange(20) < amount).long()
        loss = criterion(scores, labels)
        loss.backward()
        exact = metric(scores.detach(), labels) if metric is nothing_below_in_torch else None
        exact = metric(scores.detach().numpy(), labels.numpy()) if exact is None else exact
        assert float(criterion.metric) == float(exact) and scores.grad.isfinite().all()


def counted_by_groups(scores, labels):
    top = np.full(2, -np.inf)
    np.maximum.at(top, labels, scores)
    return -((scores >= top[1])[labels == 0].sum())


def test_without_an_example_the_library_is_that_of_the_code():
    loss = dispatched_loss(counted_by_groups, Request(scores=("scores",), direction="maximize"))
    assert loss.library == "numpy"
    scores = torch.randn(20, generator=torch.Generator().manual_seed(0), requires_grad=True)
    labels = torch.arange(20) % 2
    criterion = loss()
    criterion(scores, labels).backward()
    assert float(criterion.metric) == counted_by_groups(scores.detach().numpy(), labels.numpy())


def between_quantiles(scores, labels):
    low, high = np.quantile(scores, [0.3, 0.7])
    return ((labels * (scores > high)).sum() - (labels * (scores <= low)).sum()) / max(1, labels.sum())


def test_the_best_of_a_metric_with_cuts_has_no_equal_scores():
    criterion = compile_metric(between_quantiles, direction="maximize")()
    scores = torch.randn(20, generator=torch.Generator().manual_seed(0), requires_grad=True)
    labels = (torch.arange(20) < 7).long()  # above the 70 % quantile of the labels themselves is nothing
    criterion(scores, labels).backward()
    assert criterion.best_value == pytest.approx(6 / 7)

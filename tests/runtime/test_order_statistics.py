"""Cuts at a place of the order: the user's value, and a gradient that all scores near the cut have a share of."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from metric2loss import compile_metric
from metric2loss.routes import Request, dispatched_loss
from metric2loss.runtime import order_statistics
from metric2loss.runtime.order_statistics import Spread

N = 40


def scores(n=N, seed=0):
    return torch.randn(n, generator=torch.Generator().manual_seed(seed), dtype=torch.double, requires_grad=True)


def gradient(function, x):
    with Spread():
        value = function(x)
    assert torch.equal(value, function(x))
    return torch.autograd.grad(value.sum(), x)[0]


PICKING = {
    "sort": lambda x: torch.sort(x)[0][30],
    "sort_method": lambda x: x.sort(descending=True, stable=True).values[7],
    "topk": lambda x: torch.topk(x, 8).values[-1],
    "topk_method": lambda x: x.topk(k=5, sorted=True)[0].min(),
    "kthvalue": lambda x: torch.kthvalue(x, 31).values,
    "kept": lambda x: x.kthvalue(31, keepdim=True)[0],
    "quantile": lambda x: torch.quantile(x, 0.8),
    "quantiles": lambda x: torch.quantile(x, torch.tensor([0.25, 0.8], dtype=x.dtype)),
    "median": lambda x: x.median(),
    "rows": lambda x: x.unsqueeze(0).expand(2, N).quantile(0.8, dim=1),
    "columns": lambda x: torch.sort(x.unsqueeze(1) * torch.tensor([1.0, 2.0]), dim=0).values[4],
}


@pytest.mark.parametrize("name", PICKING)
def test_a_cut_moves_with_the_scores_around_it(name):
    x = scores()
    function = PICKING[name]
    found = gradient(function, x)
    plain = torch.autograd.grad(function(x).sum(), x)[0]
    assert (found > 0).all() and (plain != 0).sum() <= 4
    assert float(found.sum()) == pytest.approx(float(plain.sum()))


def test_who_is_nearer_has_the_larger_share():
    x = scores()
    cut = float(torch.quantile(x.detach(), 0.8))
    order = (x.detach() - cut).abs().argsort()
    found = gradient(PICKING["quantile"], x)[order]
    assert (found.diff() <= 0).all() and found[0] < 0.2


def test_the_width_is_that_of_the_scores_and_no_more_than_a_temperature():
    def half(x):  # the distance within which half of the gradient goes
        cut = float(torch.quantile(x.detach(), 0.5))
        distance, order = (x.detach() - cut).abs().sort()
        return float(distance[(gradient(lambda x: torch.quantile(x, 0.5), x)[order].cumsum(0) < 0.5).sum()])

    line = torch.linspace(-1, 1, 401, dtype=torch.double)
    one, two, wide, narrow = (half((line * by).requires_grad_()) for by in (1.0, 2.0, 100.0, 0.001))
    assert two == pytest.approx(2 * one, rel=0.05)
    assert wide < 50 * one and narrow < one / 100


def test_many_places_of_an_order_keep_their_own_gradient():
    x = scores()
    found = gradient(lambda x: torch.sort(x)[0][10:].diff().pow(2), x)
    assert torch.allclose(found, torch.autograd.grad(torch.sort(x)[0][10:].diff().pow(2).sum(), x)[0])


@pytest.mark.parametrize("function", [PICKING["sort"], PICKING["kthvalue"]])
def test_too_many_numbers_keep_their_own_gradient(function, monkeypatch):
    monkeypatch.setattr(order_statistics, "_MOST", 1)
    assert (gradient(function, scores()) != 0).sum() == 1


def test_a_few_candidates_are_no_population():
    found = gradient(lambda x: x.reshape(8, 5).topk(2).values[:, 1], scores())
    assert (found != 0).sum() == 8


def test_equal_scores_share_alike():
    x = torch.ones(N, dtype=torch.double, requires_grad=True)
    assert torch.allclose(gradient(PICKING["quantile"], x), torch.full_like(x, 1 / N))


def test_infinite_scores_have_no_share():
    x = scores().detach()
    x[:3], x[3:6] = torch.inf, -torch.inf
    found = gradient(PICKING["sort"], x.requires_grad_())
    assert found.isfinite().all() and not found[:6].any() and float(found.sum()) == pytest.approx(1)


def np_quantile(s, y):
    return y[s > np.quantile(s, 0.8)].mean()


def np_percentile(s, y):
    return y[s > np.percentile(s, 80)].mean()


def np_median(s, y):
    return y[s > np.median(s)].mean()


def np_partition(s, y):
    return y[s >= np.partition(s, -8)[-8]].mean()


def np_sort_of_negatives(s, y):
    cut = np.sort(s[y == 0])[::-1][2]
    return (s[y == 1] > cut).mean()


def torch_quantile(s, y):
    return y[s > torch.quantile(s, 0.8)].double().mean()


def torch_topk(s, y):
    return y[s >= s.topk(8).values[-1]].double().mean()


def torch_kthvalue(s, y):
    return y[s >= s.kthvalue(33).values].double().mean()


METRICS = (
    np_quantile, np_percentile, np_median, np_partition, np_sort_of_negatives, torch_quantile, torch_topk, torch_kthvalue
)  # fmt: skip


@pytest.mark.filterwarnings("ignore::metric2loss.MetricWarning")  # what beats the best is no configuration of scores
@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.__name__)
def test_metrics_with_a_cut_are_exact_and_pull_all_that_is_near(metric, live):
    torch_only = metric.__name__.startswith("torch")
    y = torch.arange(N) % 2
    tied = (scores().detach() * 2).round() / 2
    if live:
        example = {"s": scores().detach(), "y": y}
        example = example if torch_only else {name: part.numpy() for name, part in example.items()}
        criterion = dispatched_loss(metric, Request(scores=("s",), direction="maximize", example=example))()
    else:
        criterion = compile_metric(metric, direction="maximize")()
    for x in (scores(seed=1), tied.requires_grad_()):
        criterion(x, y).backward()
        exact = metric(x.detach(), y) if torch_only else metric(x.detach().numpy(), y.numpy())
        assert float(criterion.metric) == float(exact)
        share = x.grad[y == 0] if metric is np_sort_of_negatives else x.grad
        assert (share != 0).float().mean() > 0.9
        assert float(x.grad.sum()) == pytest.approx(0, abs=1e-9)  # moving all scores changes nothing
        assert order_statistics.NOTE in criterion.report()["notes"]
        configuration = criterion.record(x, y)
        assert float(criterion.replay(configuration.with_flat(configuration.flat), x, y)) == float(exact)


def test_functions_that_pick_nothing_run_as_before():
    def helped(x):
        return chosen(x)

    assert order_statistics.mentions(np_quantile) and order_statistics.mentions(np_partition)
    assert order_statistics.mentions(helped) and not order_statistics.mentions(gradient)


def chosen(x):
    return [np.sort(part)[0] for part in (x,)]

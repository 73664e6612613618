"""Live code with scores inside: exact, SWAP, gradients, and nothing left behind."""

from __future__ import annotations

import builtins
import heapq
import json
import warnings

import numpy as np
import pytest
import torch

from metric2loss import MetricError, order_invariant
from metric2loss.routes import Request, dispatched_loss
from metric2loss.runtime.dispatch import DispatchedLoss
from tests.runtime.dispatch import metrics

N = 14


def arguments(metric, seed, tied=False):
    draw = np.random.default_rng(seed)
    scores = draw.integers(1, 8, N) / 8 if tied else draw.permutation(N) / N + 0.03
    labels = (draw.random(N) < 0.4).astype(int)
    labels[:2] = 0, 1
    if metric in metrics.TORCH:
        return {"preds": torch.tensor(scores, dtype=torch.float64), "target": torch.tensor(labels)}
    return {"scores": scores, "labels": labels}


def plain(metric, given):
    return float(metric(**{name: x.clone() if isinstance(x, torch.Tensor) else x.copy() for name, x in given.items()}))


def criterion_of(metric, example=None, **request):
    return dispatched_loss(metric, Request(direction="maximize", example=example, **request))()


@pytest.mark.parametrize("tied", [False, True], ids=["distinct scores", "ties"])
@pytest.mark.parametrize("metric", metrics.TORCH + metrics.NUMPY, ids=lambda metric: metric.__name__)
def test_record_and_replay_are_the_metric(metric, tied):
    criterion = criterion_of(metric, arguments(metric, 0, tied))
    for seed in range(3):
        given = arguments(metric, seed, tied)
        configuration = criterion.record(**given)
        assert len(configuration.flat)
        assert float(criterion.replay(configuration, **given)) == pytest.approx(plain(metric, given))


@pytest.mark.parametrize(
    "metric", [m for m in metrics.TORCH + metrics.NUMPY if m is not metrics.binned], ids=lambda metric: metric.__name__
)
def test_binaries_of_other_scores_give_the_metric_of_those(metric):
    here = arguments(metric, 0)
    criterion = criterion_of(metric, here)
    score = next(iter(here))
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(N)
        there = {**here, score: here[score][order]}
        configuration = criterion.record(**there)
        configuration = configuration.with_flat(configuration.flat)
        assert float(criterion.replay(configuration, **here)) == pytest.approx(plain(metric, there))


@pytest.mark.parametrize("metric", metrics.TORCH + metrics.NUMPY, ids=lambda metric: metric.__name__)
def test_a_gradient_reaches_the_scores(metric):
    given = arguments(metric, 1)
    score = next(iter(given))
    criterion = criterion_of(metric, given)
    leaf = torch.as_tensor(given[score]).clone().requires_grad_()
    criterion(**{**given, score: leaf}).backward()
    assert torch.isfinite(leaf.grad).all()
    assert leaf.grad.abs().sum() > 0


def test_the_smooth_part_of_a_mixed_metric_has_its_own_gradient():
    given = arguments(metrics.binned, 0)
    criterion = criterion_of(metrics.binned, given)
    criterion(**given)
    assert criterion.mixed


def test_steps_that_only_guard_have_no_binaries():
    given = arguments(metrics.without_gradients, 0)
    criterion = criterion_of(metrics.without_gradients, given)
    assert len(criterion.record(**given).flat) == N


def test_inference_mode_is_neutralised():
    draw = torch.Generator().manual_seed(0)
    given = {"preds": torch.randn(5, 3, generator=draw), "target": torch.tensor([0, 1, 2, 0, 1])}
    criterion = criterion_of(metrics.in_inference_mode, given)
    leaf = given["preds"].clone().requires_grad_()
    criterion(leaf, given["target"]).backward()
    assert leaf.grad.abs().sum() > 0


def failing(preds, target):
    with torch.no_grad():
        (preds > 0.5).sum()
        raise ValueError("no")


@pytest.mark.parametrize("metric", [metrics.without_gradients, metrics.in_inference_mode, failing])
def test_nothing_is_left_behind(metric):
    names = ("sorted", "max", "min")
    before = [getattr(builtins, name) for name in names], heapq.nlargest, torch.inference_mode.__enter__
    criterion = type("Loss", (DispatchedLoss,), {"metric_function": staticmethod(metric), "scores": ("preds",)})()
    try:
        criterion.record(torch.rand(4, 3), torch.tensor([0, 1, 2, 0]))
    except MetricError:
        pass
    assert ([getattr(builtins, name) for name in names], heapq.nlargest, torch.inference_mode.__enter__) == before
    assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
    assert torch.rand(2, requires_grad=True).detach().requires_grad is False


def swallowed(scores, labels):
    try:
        return float(np.array(list(map(hash, scores))).sum())
    except Exception:  # noqa: BLE001 - what libraries do
        return ((scores > 0.5) == labels).mean()


def hashed(scores, labels):
    return len({score for score in scores}) / len(labels) + (scores > 0.5).mean()


def sorted_in_place(scores, labels):
    pairs = [(score, label) for score, label in zip(scores, labels)]
    pairs.sort(key=lambda pair: -pair[0])
    return sum(label / (place + 1) for place, (_, label) in enumerate(pairs)) + (scores > 0.5).mean()


@pytest.mark.parametrize(
    "metric", [hashed, sorted_in_place, swallowed], ids=["a set of scores", "list.sort", "an exception swallowed"]
)
def test_a_score_that_is_lost_is_refused_at_its_line(metric):
    given = arguments(metric, 0)
    with pytest.raises(MetricError) as caught:
        criterion_of(metric, given)
    found = caught.value.diagnostics[0]
    assert found.span is not None and found.span.path == __file__


def secret_ranks(scores, labels):
    """Stands for a function written in C: it takes plain numbers only."""
    if not isinstance(scores, np.ndarray) or type(scores) is not np.ndarray:
        scores = np.array(memoryview(scores))
    return float((scores[labels == 1][:, None] > scores[labels == 0]).mean())


def test_a_metric_of_ranks_falls_back_to_them():
    given = arguments(secret_ranks, 0)
    criterion = criterion_of(secret_ranks, given)
    criterion(**given)
    assert "whole" in criterion.report()["route"]
    assert float(criterion.metric) == pytest.approx(secret_ranks(**given))


def outside(scores, labels):
    return secret_ranks(scores, labels) + (scores > 0.5).mean()


def test_a_declared_function_gets_ranks():
    order_invariant(secret_ranks, "scores")
    given = arguments(outside, 0)
    criterion = criterion_of(outside, given)
    for seed in range(3):
        given = arguments(outside, seed)
        criterion(**given)
        assert float(criterion.metric) == pytest.approx(outside(**given))
    assert criterion.report()["route"] == "dispatch"
    assert 0 < criterion.report()["order-invariant calls"]["secret_ranks"] < criterion.binaries


def test_methods_of_objects_are_metrics():
    given = arguments(metrics.curve, 0)
    method = metrics.Stateful(4).compute
    criterion = criterion_of(method, given)
    criterion(**given)
    assert float(criterion.metric) == method(**given)


def test_without_an_example_the_first_batch_decides():
    criterion = criterion_of(metrics.curve)
    given = arguments(metrics.curve, 0)
    criterion(**given)
    assert float(criterion.metric) == pytest.approx(plain(metrics.curve, given))


def test_ranks_are_no_route_where_the_metric_hardly_varies():
    def loud(scores, labels):
        return np.mean([x > 100.0 for x in json.loads(json.dumps(scores.tolist()))])

    with pytest.raises(MetricError):
        criterion_of(loud, {"scores": np.linspace(0.1, 0.5, N), "labels": np.zeros(N)})


def share_right(preds: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return ((preds >= 0.5) == (target > 0)).float().mean()


class Scripted:
    """Its method reaches a TorchScript function that no name of a module leads to."""

    def __init__(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecated, and still in use
            self.share = torch.jit.script(share_right)

    def compute(self, preds, target):
        return self.share(preds, target)


def test_a_torchscript_function_runs_as_it_was_written():
    given, metric = arguments(metrics.binned, 0), Scripted()
    criterion = criterion_of(metric.compute, given)
    assert len(criterion.record(**given).flat) == N
    criterion(**given)
    assert float(criterion.metric) == pytest.approx(plain(metric.compute, given))


def share_above(scores, labels):
    return float(np.mean([(float(s) > 0.5) == bool(y) for s, y in zip(scores, labels)]))


BY_NAME = {"share": share_above}


def test_functions_in_a_table_are_followed():
    def named(scores, labels):
        return {name: function(scores, labels) for name, function in BY_NAME.items()}

    given = arguments(metrics.curve, 0)
    criterion = criterion_of(named, given, returns="share")
    criterion(**given)
    assert criterion.binaries == N
    assert float(criterion.metric) == pytest.approx(share_above(**given))


def of_positive_widths(scores, labels):
    if not np.all(scores > 0.0):
        raise ValueError("widths are positive")
    return ((scores > 0.5) == labels).mean()


def test_a_check_of_the_metrics_own_is_shown_where_scores_leave_its_domain():
    given = arguments(metrics.curve, 0)
    criterion = criterion_of(of_positive_widths, given)
    criterion(**given)
    with pytest.raises(MetricError) as caught:
        criterion(**{**given, "scores": given["scores"] - 0.5})
    found = caught.value.diagnostics[0]
    assert found.code == "M2L503"
    assert 'raise ValueError("widths are positive")' in found.why and "softplus" in found.hint
    assert found.span is not None and found.span.path == __file__

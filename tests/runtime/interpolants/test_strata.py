"""Comparisons of one kind share their credit: what a part of them changes together, for each of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from metric2loss import compile_metric
from metric2loss.runtime.interpolants import strata
from tests.test_examples import generated

N = 5000


def f1(scores, labels):
    predicted = scores > 0
    hits = (predicted & (labels == 1)).sum()
    return 2 * hits / (predicted.sum() + (labels == 1).sum())


def covered(widths, residuals):
    """How far the share of residuals inside of so many widths is from what a normal distribution says."""
    quantiles = torch.linspace(0.05, 0.95, 12)
    inside = residuals.abs()[:, None] / widths[:, None] <= math.sqrt(2) * torch.erfinv(quantiles)
    return (inside.float().mean(0) - quantiles).abs().mean()


def batch():
    draw = torch.Generator().manual_seed(0)
    labels = (torch.rand(N, generator=draw) < 0.2).long()
    return torch.randn(N, generator=draw) + labels, labels


def test_wrong_items_of_a_class_are_worth_what_one_flip_of_them_is():
    criterion = compile_metric(f1, direction="maximize")(generator=torch.Generator().manual_seed(0))
    scores, labels = batch()
    problem = criterion.problem(scores, labels)
    kinds, count = strata.numbered(problem)
    assert count == 2
    base = problem.bits.clone()
    rising = strata._rises(problem, base, kinds, count)
    one = torch.stack([(kinds == kind) & (torch.arange(N) == int((kinds == kind).nonzero()[5])) for kind in range(2)])
    here = float(problem.values_of(base.unsqueeze(0)))
    for kind in range(2):
        place = int(one[kind].nonzero())
        change = float(problem.values_of((base ^ one[kind]).unsqueeze(0))) - here
        slope = change if not base[place] else -change
        assert float(rising[kind]) == pytest.approx(slope, rel=0.4)


def test_many_comparisons_are_credited_by_kind():
    criterion = compile_metric(f1, direction="maximize")(generator=torch.Generator().manual_seed(0))
    scores, labels = batch()
    leaf = scores.clone().requires_grad_()
    criterion(leaf, labels).backward()
    assert criterion.report()["credit"].startswith("strata: 2 kinds")
    assert (leaf.grad[labels == 1] <= 0).all()


def test_thresholds_of_one_step_are_kinds_and_a_calibration_error_trains():
    draw = torch.Generator().manual_seed(0)
    residuals = torch.randn(600, generator=draw)
    criterion = compile_metric(
        covered,
        scores="widths",
        direction="minimize",
        example={"widths": torch.full((600,), 0.4), "residuals": residuals},
    )()
    log_widths = torch.full((600,), math.log(0.4), requires_grad=True)
    optimizer = torch.optim.Adam([log_widths], lr=0.05)
    before = float(covered(log_widths.exp().detach(), residuals))
    for _ in range(40):
        optimizer.zero_grad()
        criterion(log_widths.exp(), residuals).backward()
        optimizer.step()
    after = float(covered(log_widths.exp().detach(), residuals))
    assert criterion.report()["credit"].startswith("strata")
    assert after < 0.3 * before


def youden(scores, labels):
    best = 0.0
    pos, neg = scores[labels == 1], scores[labels == 0]
    for t in scores:
        best = max(best, (pos >= t).mean() - (neg >= t).mean())
    return best


def least_in_rows(scores, labels):
    """No sweep: a few cuts at scores, each for a part of the batch."""
    total = 0.0
    for part in range(4):
        mine, wanted = scores[part::4], labels[part::4]
        total += ((mine >= mine[0]) == wanted).mean()
    return total / 4


def test_scores_that_are_all_tried_as_thresholds_are_pulled_alike():
    scores, labels = batch()
    criterion = compile_metric(youden, direction="maximize")()
    leaf = scores[:64].clone().requires_grad_()
    criterion(leaf, labels[:64]).backward()
    report = criterion.report()
    assert report["credit"].startswith("evenly: every score is tried as a threshold")
    assert "every score is tried as a threshold: every pair of scores counts alike" in report["notes"]
    assert leaf.grad[labels[:64] == 1].mean() < 0 < leaf.grad[labels[:64] == 0].mean()


def test_only_thresholds_that_are_all_of_the_scores_are_a_sweep():
    scores, labels = batch()
    for metric, found in ((youden, True), (least_in_rows, False), (f1, False)):
        criterion = compile_metric(metric, direction="maximize", scores="scores")()
        assert strata.sweeps(criterion.problem(scores[:40], labels[:40])) is found


def test_small_batches_keep_single_flips():
    criterion = compile_metric(f1, direction="maximize")()
    scores, labels = batch()
    criterion(scores[:50].requires_grad_(), labels[:50]).backward()
    assert criterion.report()["credit"].startswith("flips")


def test_strata_can_be_asked_for():
    criterion = generated("f1_threshold")(credit_by="strata")
    scores = torch.rand(9, requires_grad=True)
    criterion(np.arange(9) % 2, scores).backward()
    assert criterion.report()["credit"].startswith("strata")
    assert scores.grad.abs().sum() > 0

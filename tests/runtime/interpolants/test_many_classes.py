"""Choices with more than two classes: rows are flipped as a whole, in draws that some scores would give."""

from __future__ import annotations

import pytest
import torch

from metric2loss.runtime import SurrogateLoss, steps
from metric2loss.runtime.factored import oriented
from metric2loss.runtime.good_rows import GoodRows
from metric2loss.runtime.interpolants import credit


class BalancedAccuracyLoss(SurrogateLoss):
    """Mean recall of the classes: not a mean over rows."""

    direction, scores, library = "maximize", ("scores",), "torch"

    def f(self, scores, labels):
        return steps.choose.differences(scores, 1, using="argmax")

    def g(self, binaries, labels):
        right = (steps.choose.result(binaries) == labels).double()
        there = torch.nn.functional.one_hot(labels).double()
        return (right @ there / there.sum(0)).mean()


def batch(rows: int = 12, classes: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    return torch.randn(rows, classes, generator=draw).requires_grad_(), torch.arange(rows) % classes


def test_a_sample_costs_one_evaluation_a_row():
    problem = BalancedAccuracyLoss(generator=torch.Generator().manual_seed(0)).problem(*batch())
    plan = credit.Plan.of(problem)
    assert plan.evaluations == 12 + 1
    rows = plan.good
    assert len(rows.at) == 12 * 3 and len(rows.idle) == 12 * 3


def test_only_pairs_with_the_right_class_get_credit_and_none_is_negative():
    problem = BalancedAccuracyLoss(generator=torch.Generator().manual_seed(0)).problem(*batch())
    plan = credit.Plan.of(problem)
    found = credit.of_binaries(problem, plan, oriented(problem))
    assert (found[plan.good.idle] == 0).all() and (found[plan.good.at] > 0).all()


def test_the_loss_pushes_up_the_right_class_alone():
    scores, labels = batch()
    BalancedAccuracyLoss()(scores, labels).backward()
    right = torch.nn.functional.one_hot(labels).bool()
    assert (scores.grad[right] < 0).all() and (scores.grad[~right] > 0).all()


def test_idle_draws_are_rankings_with_the_right_chance():
    problem = BalancedAccuracyLoss().problem(*batch(rows=1))
    rows, layout = GoodRows.read(problem), problem.leaves[0].layout
    draw = torch.Generator().manual_seed(0)
    noise = torch.rand(4000, 4, generator=draw)
    ranked = torch.stack([rows.ranked(line, 1.0) for line in noise])
    u = torch.sigmoid(problem.differences.detach()[rows.idle])
    assert torch.allclose(ranked.float().mean(0), u, atol=0.03)
    ahead, behind = layout.beats[rows.idle], layout.beaten[rows.idle]
    wins = torch.zeros(4000, 4).index_add_(1, ahead, ranked.float()).index_add_(1, behind, 1 - ranked.float())
    assert {tuple(sorted(line.tolist())) for line in wins[:, 1:]} == {(0.0, 1.0, 2.0)}  # a total order of the three


@pytest.mark.parametrize("progress", [0.0, 0.5, 1.0])
def test_every_stage_of_training_has_a_finite_gradient(progress):
    scores, labels = batch()
    criterion = BalancedAccuracyLoss()
    criterion.progress = progress
    criterion(scores * 100, labels).backward()
    assert torch.isfinite(scores.grad).all()

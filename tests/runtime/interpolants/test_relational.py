"""The learned surrogate: ranks like the metric, better than agreement alone; order of items is nothing to it; its own state."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from metric2loss.runtime.interpolants.nodes import Nodes
from metric2loss.runtime.interpolants.relational import _values
from metric2loss.runtime.interpolants.spearman import correlation, exact, ranks, soft_ranks
from tests.runtime.hand_written import CASES


def test_ranks_are_spearmans():
    values = torch.tensor([3.0, 1.0, 3.0, -2.0, 8.0, 1.0], dtype=torch.double)
    other = torch.tensor([1.0, 1.0, 4.0, 0.0, 2.0, 9.0], dtype=torch.double)
    assert torch.equal(ranks(values) + 0.5, torch.from_numpy(stats.rankdata(values.numpy())))
    assert exact(values, other) == pytest.approx(float(stats.spearmanr(values.numpy(), other.numpy()).statistic))
    assert exact(values, torch.ones(6)) == 0


def test_soft_ranks_come_near_the_hard_ones_and_have_a_gradient():
    draw = torch.Generator().manual_seed(0)
    values = torch.randn(20, 2, generator=draw, dtype=torch.double).requires_grad_()
    targets = torch.randn(20, 2, generator=draw, dtype=torch.double)
    assert torch.allclose(soft_ranks(values), ranks(values), atol=2.0)
    found = correlation(values, targets)
    plain = values.detach()
    assert found.detach().tolist() == pytest.approx([exact(plain[:, k], targets[:, k]) for k in range(2)], abs=0.05)
    (slope,) = torch.autograd.grad(found.sum(), values)
    assert bool(correlation(plain + slope, targets).sum() > found.sum())
    assert correlation(plain, torch.zeros(20, 2)).tolist() == [0]


def trained(name: str, fit: str, batches: int = 25):
    case = CASES[name]
    loss = case.loss("relational", fit=fit, generator=torch.Generator().manual_seed(0))
    for seed in range(batches):
        scores, *others = case.arguments(np.random.default_rng(seed), "random")
        loss(torch.as_tensor(scores).clone().requires_grad_(), *others)
    return loss


def held_out(loss, name: str) -> tuple[float, float]:
    """Rank correlation with the metric on unseen batches: of the network, and of the agreement with the best alone."""
    found = []
    for seed in range(1000, 1004):
        problem = loss.problem(*CASES[name].arguments(np.random.default_rng(seed), "random"))
        agreements, values = loss._interpolant._sampled(problem)
        learned = _values(loss._interpolant.weights, Nodes.of(problem), agreements)
        found.append((exact(learned.mean(1), values.mean(1)), exact(agreements.mean(1), values.mean(1))))
    return tuple(np.mean(found, 0))


@pytest.mark.parametrize("name", ["average_precision", "ndcg"])
def test_it_learns_to_rank_like_the_metric(name):
    learned, alone = held_out(trained(name, "rank"), name)
    assert learned > alone and learned > 0.9


@pytest.mark.parametrize("fit", ["rank", "value"])
def test_both_fits_say_how_well_they_rank(fit):
    loss = trained("f1", fit, batches=5)
    (note,) = loss.report()["notes"]
    assert note.startswith("rank correlation with the metric on 32 configurations: 0.")


def test_the_order_of_the_examples_is_nothing_to_it():
    loss = trained("average_precision", "rank", batches=3)
    scores, labels = CASES["average_precision"].arguments(np.random.default_rng(5), "random")
    turn = np.random.default_rng(0).permutation(len(scores))
    values = []
    for x, y in ((scores, labels), (scores[turn], labels[turn])):
        problem = loss.problem(x, y)
        agreement = torch.sigmoid(torch.where(problem.best, 1, -1) * problem.differences.detach()).unsqueeze(0)
        values.append(float(_values(loss._interpolant.weights, Nodes.of(problem), agreement)))
    assert values[0] == pytest.approx(values[1])


def test_weights_are_state_and_no_parameters_and_change_in_training_only():
    loss = trained("f1", "rank", batches=2)
    assert "_interpolant.weights" in loss.state_dict() and not list(loss.parameters())
    before = loss._interpolant.weights.clone()
    scores, *others = CASES["f1"].arguments(np.random.default_rng(9), "random")
    loss.eval()
    loss(torch.as_tensor(scores).requires_grad_(), *others)
    assert torch.equal(loss._interpolant.weights, before)
    loss.train()
    loss(torch.as_tensor(scores).requires_grad_(), *others)
    assert not torch.equal(loss._interpolant.weights, before)


def test_the_same_generator_learns_the_same():
    assert torch.equal(*(trained("f1", "rank", 3)._interpolant.weights for _ in range(2)))


def test_options_are_checked():
    with pytest.raises(ValueError, match="rank"):
        CASES["f1"].loss("relational", fit="order")
    with pytest.raises(TypeError, match="samples, inner, rate, fit"):
        CASES["f1"].loss("relational", smaples=3)

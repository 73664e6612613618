"""Rows of a choice are credited by each class that may be chosen instead; kinds of rows by the batches so far."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from metric2loss import surrogate
from metric2loss.runtime.interpolants.usual import Kinds, Usual, names

COST = np.array([[0.0, 1.0, 4.0, 9.0], [1.0, 0.0, 1.0, 4.0], [5.0, 2.0, 0.0, 1.0], [9.0, 4.0, 1.0, 0.0]])
PLAIN = 1.0 - np.eye(4)


@surrogate
def expected_cost(scores, labels):
    return COST[labels, scores.argmax(1)].mean()


@surrogate
def share_wrong(scores, labels):
    return PLAIN[labels, scores.argmax(1)].mean()


@surrogate
def quadratic_kappa(scores, labels):
    predicted = scores.argmax(1)
    weights = (np.arange(4)[:, None] - np.arange(4)) ** 2
    met = np.zeros((4, 4))
    for a, b in zip(labels, predicted):
        met[a, b] += 1
    by_chance = np.outer(met.sum(1), met.sum(0)) / met.sum()
    return 1 - (weights * met).sum() / (weights * by_chance).sum()


@surrogate
def macro_recall(scores, labels):
    right = scores.argmax(1) == labels
    return np.mean([right[labels == c].mean() for c in np.unique(labels)])


def batch(n: int = 12) -> tuple[torch.Tensor, np.ndarray]:
    draw = torch.Generator().manual_seed(3)
    return torch.randn(n, 4, generator=draw, dtype=torch.double, requires_grad=True), np.arange(n) % 4


def gradient(metric, scores, labels, **options):
    criterion = metric.loss(generator=torch.Generator().manual_seed(0), **options)
    loss = criterion(scores, labels)
    (found,) = torch.autograd.grad(loss, scores)
    return criterion, found


def test_at_p_1_the_gradient_of_a_mean_over_rows_is_that_of_its_expected_value():
    scores, labels = batch()
    criterion, found = gradient(expected_cost, scores, labels, first=1.0, last=1.0)
    expected = (torch.softmax(scores, 1) * torch.from_numpy(COST[labels])).sum(1).mean()
    (wanted,) = torch.autograd.grad(expected, scores)
    assert criterion.report()["credit"].startswith("flips: rows of choices put on each of their candidates, every row")
    assert torch.allclose(found, wanted, atol=1e-6)


def test_at_p_0_it_is_that_of_cross_entropy_where_all_mistakes_cost_the_same():
    scores, labels = batch()
    _, found = gradient(share_wrong, scores, labels, first=0.0, last=0.0)
    (wanted,) = torch.autograd.grad(torch.nn.functional.cross_entropy(scores, torch.from_numpy(labels)), scores)
    assert torch.allclose(found, wanted, atol=1e-6)


def test_of_two_wrong_classes_the_dearer_one_is_pulled_down_more():
    scores = torch.zeros(8, 4, dtype=torch.double, requires_grad=True)
    labels = np.zeros(8, dtype=int)
    labels[4:] = 3
    _, found = gradient(quadratic_kappa, scores, labels)
    assert (found[:4, 3] > found[:4, 1]).all()
    assert (found[4:, 0] > found[4:, 2]).all()
    assert found.sum(1).abs().max() < 1e-12


@pytest.mark.parametrize("metric", [expected_cost, quadratic_kappa, macro_recall])
def test_the_value_is_the_metrics_own_on_data_with_ties(metric):
    scores = torch.randint(3, (12, 4), generator=torch.Generator().manual_seed(1)).double().requires_grad_()
    labels = np.arange(12) % 4
    criterion, found = gradient(metric, scores, labels)
    assert float(criterion.metric) == pytest.approx(metric(scores.detach().numpy(), labels), abs=1e-12)
    assert torch.isfinite(found).all() and found.abs().sum() > 0


def test_pull_leaves_the_order_of_wrong_classes_alone():
    scores, labels = batch()
    _, found = gradient(macro_recall, scores, labels, interpolant="pull")
    rows = torch.arange(len(labels))
    apart = scores.detach()[rows, labels].unsqueeze(1) - scores.detach()
    link = torch.sigmoid(-apart) * torch.sigmoid(apart) ** 0.5
    link[rows, labels] = 0.0
    wanted = link.clone()
    wanted[rows, labels] = -link.sum(1)
    assert torch.allclose(found, wanted, atol=1e-6)


def test_half_of_the_mean_of_a_kind_is_the_usual_one_and_differences_inside_it_stay():
    usual = Usual()
    kinds = Kinds.by("step", [np.array([0, 0, 1])], torch.device("cpu"))
    first, second = torch.tensor([1.0, 3.0, 5.0]), torch.tensor([11.0, 13.0, 5.0])
    assert torch.equal(usual.share(kinds, first), first)
    shared = usual.share(kinds, second)
    assert float(shared[1] - shared[0]) == pytest.approx(2.0)
    assert float(shared[:2].mean()) == pytest.approx(12 + 0.5 * (0.9 * 2 + 0.1 * 12 - 12))
    assert float(shared[2]) == pytest.approx(5.0)


def test_kinds_are_told_apart_by_targets_unless_these_make_too_many():
    n = 200
    wanted, groups, items = np.arange(n) % 2, np.arange(n) % 3, np.arange(n)
    kinds = Kinds.by("step", [wanted, groups, items], torch.device("cpu"))
    assert len(kinds.names) == 6 and ("step", 1, 2) in kinds.names
    assert torch.equal(kinds.of[:6], kinds.of[6:12])


def test_a_class_that_a_batch_says_nothing_of_is_worth_what_it_was_before():
    @surrogate
    def worst_recall(scores, labels):
        right = scores.argmax(1) == labels
        return min(right[labels == c].mean() for c in np.unique(labels))

    labels = np.arange(12) % 4

    def step(criterion, worst):
        scores = 3 * torch.eye(4, dtype=torch.double)[labels]
        scores[labels == worst] *= -1
        scores.requires_grad_()
        criterion(scores, labels).backward()
        return float(scores.grad[labels == 0].abs().sum())

    def mean_after(*batches):
        found = []
        for seed in range(20):
            criterion = worst_recall.loss(generator=torch.Generator().manual_seed(seed))
            found.append([step(criterion, worst) for worst in batches][-1])
        return np.mean(found)

    assert mean_after(0, 1) > 1.5 * mean_after(1)  # class 0 is right already, but was worth much a batch ago


def test_turns_of_a_loop_over_examples_are_one_kind_and_those_of_a_loop_over_groups_are_many():
    @surrogate
    def right_by_row(scores, labels):
        total = 0.0
        for row, truth in zip(scores, labels):
            hit = row > 0
            total += (hit == truth).mean() if hit.any() else 0.0
        return total / len(labels)

    @surrogate
    def worst_group(scores, labels):
        return min(((scores[labels == c] > 0) == (c > 0)).mean() for c in range(2))

    draw = torch.Generator().manual_seed(0)
    rows = right_by_row.loss().problem(torch.randn(6, 3, generator=draw), np.arange(18).reshape(6, 3) % 2)
    groups = worst_group.loss().problem(torch.randn(12, generator=draw), np.arange(12) % 2)
    assert len(set(names(rows).values())) == 1 < len(names(rows))
    assert len(set(names(groups).values())) == len(names(groups)) == 2


def test_steps_of_one_kind_have_one_mean_and_keep_their_differences():
    one = Kinds.by("step", [np.array([0, 1])], torch.device("cpu"))
    kinds = Kinds.joined([one, one, Kinds.by("other", [np.array([0])], torch.device("cpu"))])
    usual = Usual()
    first, second = torch.tensor([1.0, 0.0, 3.0, 0.0, 5.0]), torch.tensor([7.0, 0.0, 9.0, 0.0, 5.0])
    assert len(kinds.names) == 3
    assert torch.equal(usual.share(kinds, first), first)
    shared = usual.share(kinds, second)
    assert float(shared[2] - shared[0]) == pytest.approx(2.0)
    assert float(shared[0] + shared[2]) / 2 == pytest.approx(8 + 0.5 * (0.9 * 2 + 0.1 * 8 - 8))

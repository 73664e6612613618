"""The hand-made losses of the development tasks against their formulas, computed another way, and on batches that lack something."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from bench.core.losses import load, metric_file
from bench.handmade.costs import soft_profit
from bench.handmade.cross_entropy import one_against_rest
from bench.handmade.groups import balanced_binary_cross_entropy, pairwise_in_groups
from bench.handmade.sigmoid_f import sigmoid_f

SCORES, LABELS = torch.tensor([0.5, -1.0, 2.0, 0.0, 1.5]), torch.tensor([1, 0, 0, 1, 1])
GROUPS = torch.tensor([0, 0, 3, 0, 3])


def softplus(x: float) -> float:
    return math.log(1 + math.exp(x))


def close(found: Tensor, expected: float) -> None:
    assert found.shape == ()
    assert float(found) == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_one_against_rest_is_a_logistic_loss_of_every_class() -> None:
    rows, classes = [[1.0, 2.0, 0.5], [0.0, -0.3, 3.0]], [1, 0]
    terms = [softplus(-x if c == label else x) for row, label in zip(rows, classes) for c, x in enumerate(row)]
    close(one_against_rest(torch.tensor(rows), torch.tensor(classes)), sum(terms) / 6)


def test_soft_profit_of_certain_scores_is_the_metric_with_its_sign_turned() -> None:
    profit = load(metric_file("profit")).profit
    certain = 90 * torch.sign(SCORES + 0.1)
    close(soft_profit(certain, LABELS), -float(profit(certain.numpy(), LABELS.numpy())))
    p = [1 / (1 + math.exp(-x)) for x in SCORES.tolist()]
    close(soft_profit(SCORES, LABELS), -sum(q * (10 if y else -2) for q, y in zip(p, LABELS.tolist())) / 5)


def test_groups_weigh_the_same_whatever_their_size() -> None:
    first = (softplus(-0.5) + softplus(-1.0) + softplus(0.0)) / 3
    second = (softplus(2.0) + softplus(-1.5)) / 2
    close(balanced_binary_cross_entropy(SCORES, LABELS, GROUPS), (first + second) / 2)


def test_pairs_are_those_of_one_group() -> None:
    first = (softplus(-1.0 - 0.5) + softplus(-1.0 - 0.0)) / 2
    close(pairwise_in_groups(SCORES, LABELS, GROUPS), (first + softplus(2.0 - 1.5)) / 2)
    alone = torch.tensor([0, 0, 3, 0, 1])  # the last two groups have one class each
    close(pairwise_in_groups(SCORES, LABELS, alone), first / 3)


def test_the_sigmoid_f1_of_certain_labels_is_one_minus_the_micro_f1() -> None:
    micro_f1 = load(metric_file("micro_f1")).micro_f1
    torch.manual_seed(0)
    certain, labels = 90 * torch.sign(torch.randn(7, 4)), torch.randint(0, 2, (7, 4))
    close(sigmoid_f(certain, labels), 1 - float(micro_f1(certain.numpy(), labels.numpy())))


@pytest.mark.parametrize("scale", [1.0, 1e4])
@pytest.mark.parametrize("label", [0, 1, None])
def test_gradients_are_finite(scale: float, label: int | None) -> None:
    torch.manual_seed(2)
    labels = torch.randint(0, 2, (9,)) if label is None else torch.full((9,), label)

    def check(loss: Callable[..., Tensor], shape: tuple[int, ...], *targets: Tensor) -> None:
        scores = (scale * torch.randn(shape)).requires_grad_()
        loss(scores, *targets).backward()
        assert scores.grad is not None and torch.isfinite(scores.grad).all(), loss

    check(soft_profit, (9,), labels)
    check(one_against_rest, (9, 3), labels)
    for loss in (balanced_binary_cross_entropy, pairwise_in_groups):
        check(loss, (9,), labels, torch.arange(9) % 4)

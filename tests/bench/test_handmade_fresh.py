"""The hand-made losses of the fresh tasks against their formulas, computed another way, and on batches that lack something."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from bench.handmade.jaccard import lovasz_hinge, soft_jaccard
from bench.handmade.multilabel import asymmetric, rowwise_logistic
from bench.handmade.quantile import false_positives_at
from bench.handmade.rejection import deferring, gamblers, soft_price
from bench.handmade.soft_mcc import soft_mcc
from bench.handmade.survival import concordance_logistic, cox
from bench.handmade.topk import truncated_entropy
from bench.handmade.worst_group import GroupDRO, balanced_cross_entropy, plain_cross_entropy
from examples.metrics.abstention import abstention_cost
from examples.metrics.concordance import concordance_index
from examples.metrics.mcc import matthews_corrcoef

SCORES, LABELS = torch.tensor([0.5, -1.0, 2.0, 0.0]), torch.tensor([1, 0, 0, 1])
ROWS = torch.tensor([[1.0, 2.0, 0.5, -1.0], [0.0, 0.0, 3.0, 0.3], [0.2, -0.7, 0.1, 1.5]])
CLASSES = torch.tensor([1, 0, 2])
MANY = torch.tensor([[1, 0, 0, 1], [0, 0, 0, 0], [1, 1, 0, 1]])


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def softplus(x: float) -> float:
    return math.log(1 + math.exp(x))


def close(found: Tensor, expected: float) -> None:
    assert found.shape == ()
    assert float(found) == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_truncated_entropy_forgives_the_k_minus_one_best_wrong_classes() -> None:
    assert torch.allclose(truncated_entropy(ROWS, CLASSES, k=1), functional.cross_entropy(ROWS, CLASSES))
    left = [[0.5, -1.0], [0.0, 0.3], [0.2, -0.7]]  # the wrong classes without the best one
    own = [2.0, 0.0, 0.1]
    close(
        truncated_entropy(ROWS, CLASSES, k=2),
        sum(math.log(1 + sum(math.exp(x - y) for x in xs)) for xs, y in zip(left, own)) / 3,
    )


def test_the_asymmetric_loss_shifts_and_focuses_the_negatives_alone() -> None:
    assert torch.allclose(
        asymmetric(ROWS, MANY, 0.0, 0.0, 0.0), functional.binary_cross_entropy_with_logits(ROWS, MANY.float())
    )
    expected = 0.0
    for x, y in zip(ROWS.flatten().tolist(), MANY.flatten().tolist()):
        q = max(sigmoid(x) - 0.05, 0)
        expected -= math.log(sigmoid(x)) if y else q**4 * math.log(1 - q)
    close(asymmetric(ROWS, MANY), expected / 12)


def test_rowwise_logistic_is_a_mean_over_examples_of_their_wrong_orders() -> None:
    first = [softplus(b - a) for a in (1.0, -1.0) for b in (2.0, 0.5)]
    third = [softplus(0.1 - a) for a in (0.2, -0.7, 1.5)]
    close(rowwise_logistic(ROWS, MANY), (sum(first) / 4 + sum(third) / 3) / 2)


def test_soft_mcc_of_certain_scores_is_the_metric() -> None:
    labels, certain = (torch.arange(30) % 3 == 0).long(), 50 * torch.sign(torch.sin(torch.arange(30.0)) + 0.3)
    close(soft_mcc(certain, labels), 1 - float(matthews_corrcoef(labels.numpy(), certain.numpy())))
    p = [sigmoid(x) for x in SCORES.tolist()]
    tp, fp, fn, tn = p[0] + p[3], p[1] + p[2], 2 - p[0] - p[3], 2 - p[1] - p[2]
    product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    close(soft_mcc(SCORES, LABELS), 1 - (tp * tn - fp * fn) / math.sqrt(product))


def test_the_threshold_is_a_quantile_of_the_positives_and_has_a_gradient() -> None:
    scores = SCORES.clone().requires_grad_()
    found = false_positives_at(scores, LABELS, tpr=0.75)  # a quarter of the way from 0.0 to 0.5
    close(found.detach(), (softplus(-1.0 - 0.125) + softplus(2.0 - 0.125)) / 2)
    found.backward()
    assert scores.grad is not None and scores.grad[0] < 0 and scores.grad[3] < 0 and scores.grad[2] > 0


def test_cox_is_the_partial_likelihood_of_those_at_risk() -> None:
    risk, times, seen = [0.3, -0.5, 1.0, 0.2], [2.0, 1.0, 4.0, 3.0], [1, 1, 0, 1]
    terms = []
    for r, time, event in zip(risk, times, seen):
        at_risk = [math.exp(other) for other, until in zip(risk, times) if until >= time]
        terms += [math.log(sum(at_risk)) - r] if event else []
    close(cox(torch.tensor(risk), torch.tensor(times), torch.tensor(seen)), sum(terms) / 3)


def test_concordance_logistic_counts_the_pairs_of_the_metric() -> None:
    torch.manual_seed(0)
    risk, times, seen = 60 * torch.randperm(12).float(), torch.randperm(12).float(), torch.arange(12) % 3 > 0
    exact = concordance_index(times.numpy(), risk.numpy(), seen.long().numpy())
    wrong = functional.relu(risk[None, :] - risk[:, None]) > 0
    comparable = (times[:, None] < times[None, :]) & seen[:, None]
    assert float(wrong[comparable].float().mean()) == pytest.approx(1 - float(exact))
    costs = [
        softplus(float(risk[j] - risk[i]) / 60) for i, j in itertools.product(range(12), range(12)) if comparable[i, j]
    ]
    close(concordance_logistic(risk / 60, times, seen.long()), sum(costs) / len(costs))


def test_groups_weigh_the_same_and_the_weights_of_group_dro_follow_the_losses() -> None:
    groups = torch.tensor([0, 0, 3])
    each = functional.cross_entropy(ROWS, CLASSES, reduction="none")
    close(balanced_cross_entropy(ROWS, CLASSES, groups), float(each[:2].mean() + each[2]) / 2)
    assert plain_cross_entropy(ROWS, CLASSES, groups) == functional.cross_entropy(ROWS, CLASSES)
    loss = GroupDRO(4, rate=0.5)
    means = [float(each[:2].mean()), 0.0, 0.0, float(each[2])]
    for _ in range(3):
        found = loss(ROWS, CLASSES, groups)
    q = [math.exp(3 * 0.5 * mean) for mean in means]
    close(found, sum(weight * mean for weight, mean in zip(q, means)) / sum(q))


def test_losses_of_rejection_price_asking() -> None:
    p = torch.softmax(ROWS, 1)
    own, ask = p[range(3), CLASSES].tolist(), p[:, 3].tolist()
    close(gamblers(ROWS, CLASSES), -sum(math.log(a + 0.7 * b) for a, b in zip(own, ask)) / 3)
    close(deferring(ROWS, CLASSES), -sum(math.log(a) + 0.7 * math.log(b) for a, b in zip(own, ask)) / 3)
    sure = 50 * functional.one_hot(torch.tensor([1, 3, 0]), 4).float()
    close(soft_price(sure, CLASSES), float(abstention_cost(sure.numpy(), CLASSES.numpy())))


def test_soft_jaccard_of_certain_pixels_is_the_intersection_over_union() -> None:
    masks = torch.tensor([[[1, 1], [0, 0]], [[0, 0], [0, 0]]])
    certain = torch.tensor([[[90.0, -90.0], [90.0, -90.0]], [[-90.0, -90.0], [90.0, -90.0]]])
    close(soft_jaccard(certain, masks, smooth=0.5), 1 - ((1.5 / 3.5) + (0.5 / 1.5)) / 2)


def test_the_lovasz_hinge_extends_the_jaccard_loss_of_sets_of_wrong_pixels() -> None:
    masks = torch.tensor([[[1, 0], [1, 0]]])
    for wrong in itertools.product([False, True], repeat=4):
        signs = (2 * masks - 1) * torch.where(torch.tensor(wrong).reshape(1, 2, 2), -1, 1)
        missed, added = sum(wrong[0::2]), sum(wrong[1::2])  # hinge errors are 2 where wrong and 0 elsewhere
        close(lovasz_hinge(signs.float(), masks), 2 * (1 - (2 - missed) / (2 + added)))


BINARY: list[Callable[[Tensor, Tensor], Tensor]] = [soft_mcc, false_positives_at]
SEVERAL: list[Callable[[Tensor, Tensor], Tensor]] = [asymmetric, rowwise_logistic]
ASKING: list[Callable[[Tensor, Tensor], Tensor]] = [gamblers, deferring, soft_price, truncated_entropy]


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_gradients_are_finite(scale: float) -> None:
    torch.manual_seed(2)

    def check(loss: Callable[..., Tensor], shape: tuple[int, ...], *targets: Tensor) -> None:
        scores = (scale * torch.randn(shape)).requires_grad_()
        loss(scores, *targets).backward()
        assert scores.grad is not None and torch.isfinite(scores.grad).all(), loss

    for label in (0, 1, None):
        labels = torch.randint(0, 2, (9,)) if label is None else torch.full((9,), label)
        for loss in BINARY:
            check(loss, (9,), labels)
        for loss in SEVERAL:
            check(loss, (3, 3), labels.reshape(3, 3))
        for loss in (soft_jaccard, lovasz_hinge):
            check(loss, (1, 3, 3), labels.reshape(1, 3, 3))
        for loss in (cox, concordance_logistic):
            check(loss, (9,), torch.rand(9), labels)
        check(balanced_cross_entropy, (9, 4), labels, labels)
        check(GroupDRO(2), (9, 4), labels, labels)
    for loss in ASKING:
        check(loss, (9, 8), torch.arange(9) % 7)

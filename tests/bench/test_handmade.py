"""Hand-made losses against their formulas, written out with the math module or worked by hand."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from bench.handmade.cross_entropy import binary_cross_entropy, cross_entropy, weighted_binary_cross_entropy
from bench.handmade.expectation import SCHEDULES, MixedCrossEntropy, expectation
from bench.handmade.focal import binary_focal, focal
from bench.handmade.heatmaps import SIGMAS, bump_error, region_cross_entropy
from bench.handmade.ranking import PADDED, lambdarank, listwise_cross_entropy, pairwise_logistic
from bench.handmade.sigmoid_f import sigmoid_f
from bench.handmade.smooth_ap import smooth_ap
from examples.metrics.accuracy import accuracy
from examples.metrics.average_precision import average_precision
from examples.metrics.ndcg import ndcg_at_k
from examples.metrics.pckh import pckh
from metric2loss import compile_metric
from metric2loss.runtime.mixing import Mixed

SCORES, LABELS = torch.tensor([0.5, -1.0, 2.0, 0.0]), torch.tensor([1, 0, 0, 1])
LOGITS, CLASSES = torch.tensor([[1.0, 2.0, 0.5], [0.0, 0.0, 3.0]]), torch.tensor([1, 0])


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def probability(example: int) -> float:
    row = [math.exp(x) for x in LOGITS[example].tolist()]
    return row[int(CLASSES[example])] / sum(row)


def close(found: Tensor, expected: float) -> None:
    assert found.shape == ()
    assert float(found) == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_binary_cross_entropy_is_the_mean_log_likelihood() -> None:
    p = [sigmoid(0.5), 1 - sigmoid(-1.0), 1 - sigmoid(2.0), sigmoid(0.0)]
    close(binary_cross_entropy(SCORES, LABELS), -sum(map(math.log, p)) / 4)


def test_weighted_binary_cross_entropy_gives_both_classes_the_same_weight() -> None:
    scores, labels = torch.tensor([0.0, 1.0, 2.0, -1.0]), torch.tensor([1, 0, 0, 0])
    negatives = sum(math.log(1 - sigmoid(x)) for x in (1.0, 2.0, -1.0))
    close(weighted_binary_cross_entropy(scores, labels), -(3 * math.log(0.5) + negatives) / 4)


@pytest.mark.parametrize("label", [0, 1])
def test_a_batch_of_one_class_is_not_weighted(label: int) -> None:
    labels = torch.full((4,), label)
    assert weighted_binary_cross_entropy(SCORES, labels) == binary_cross_entropy(SCORES, labels)


def test_cross_entropy_is_minus_the_log_probability_of_the_label() -> None:
    close(cross_entropy(LOGITS, CLASSES), -(math.log(probability(0)) + math.log(probability(1))) / 2)


def test_focal_loss_weighs_by_what_is_missing() -> None:
    terms = [-((1 - p) ** 2) * math.log(p) for p in (probability(0), probability(1))]
    close(focal(LOGITS, CLASSES), sum(terms) / 2)
    assert focal(LOGITS, CLASSES, gamma=0.0) == cross_entropy(LOGITS, CLASSES)


def test_binary_focal_loss_weighs_positives_by_alpha() -> None:
    right = [(sigmoid(0.5), 0.25), (1 - sigmoid(-1.0), 0.75), (1 - sigmoid(2.0), 0.75), (0.5, 0.25)]
    close(binary_focal(SCORES, LABELS), -sum(a * (1 - p) ** 2 * math.log(p) for p, a in right) / 4)
    assert torch.isclose(2 * binary_focal(SCORES, LABELS, 0.0, 0.5), binary_cross_entropy(SCORES, LABELS))


@pytest.mark.parametrize("sigma", SIGMAS)
def test_the_bump_is_reproduced_without_error(sigma: float) -> None:
    joint = (2, 1)  # x, y
    image = [
        [math.exp(-((x - joint[0]) ** 2 + (y - joint[1]) ** 2) / (2 * sigma**2)) for x in range(4)] for y in range(3)
    ]
    bump = torch.tensor(image)[None, None]
    close(bump_error(bump, torch.tensor([[joint]]), torch.tensor([2.0]), sigma), 0.0)
    close(bump_error(bump + 0.5, torch.tensor([[joint]]), torch.tensor([2.0]), sigma), 0.25)


def test_the_region_is_what_the_metric_counts_as_found() -> None:
    heatmaps, joints, sizes = (
        torch.randn(3, 2, 6, 5),
        torch.tensor([[[1, 2], [4, 5]]] * 3),
        torch.tensor([2.0, 3.0, 1.0]),
    )
    p = torch.softmax(heatmaps.flatten(2), 2)
    inside = torch.zeros(3, 2, 30)
    for pixel in range(30):  # the metric itself says whether a maximum there is found
        hot = torch.zeros(3, 2, 30)
        hot[..., pixel] = 1
        for image in range(3):
            for joint in range(2):
                one = slice(image, image + 1), slice(joint, joint + 1)
                found = pckh(
                    hot.reshape(3, 2, 6, 5)[one].numpy(), joints[one].numpy(), sizes[image : image + 1].numpy()
                )
                inside[image, joint, pixel] = found
    expected = -(p * inside).sum(2).log().mean()
    close(region_cross_entropy(heatmaps, joints, sizes), float(expected))


def test_joints_outside_the_image_are_left_out_of_the_region() -> None:
    heatmaps = torch.randn(1, 2, 4, 4)
    both = region_cross_entropy(heatmaps, torch.tensor([[[1, 1], [40, 40]]]), torch.tensor([2.0]))
    alone = region_cross_entropy(heatmaps[:, :1], torch.tensor([[[1, 1]]]), torch.tensor([2.0]))
    assert torch.equal(both, alone)
    assert region_cross_entropy(heatmaps, torch.full((1, 2, 2), 40), torch.tensor([2.0])) == 0


def test_pairwise_logistic_is_the_mean_over_pairs_of_different_grades() -> None:
    pairs = [(0.5, -1.0), (0.5, 2.0), (0.0, -1.0), (0.0, 2.0)]
    close(pairwise_logistic(SCORES, LABELS), sum(math.log(1 + math.exp(-(a - b))) for a, b in pairs) / 4)


def test_lambdarank_weighs_pairs_by_what_swapping_them_changes() -> None:
    scores, grades = torch.tensor([[0.3, 1.0, -0.5, 0.1]]), torch.tensor([[2, 0, 1, 0]])

    def exact(order: list[int]) -> float:
        swapped = torch.zeros(1, 4)
        swapped[0, order] = torch.tensor([4.0, 3.0, 2.0, 1.0])
        return float(ndcg_at_k(swapped.numpy(), grades.numpy(), 2))

    order = [1, 0, 3, 2]  # best score first
    expected = 0.0
    for i in range(4):
        for j in range(4):
            if grades[0, i] > grades[0, j]:
                other = [{i: j, j: i}.get(item, item) for item in order]
                cost = math.log(1 + math.exp(-float(scores[0, i] - scores[0, j])))
                expected += abs(exact(order) - exact(other)) * cost
    close(lambdarank(scores, grades, k=2), expected)


def test_listwise_cross_entropy_compares_two_softmaxes() -> None:
    scores, grades = [0.2, -0.4, 1.0], [0, 1, 2]
    p = [math.exp(x) / sum(map(math.exp, scores)) for x in scores]
    q = [math.exp(x) / sum(map(math.exp, grades)) for x in grades]
    found = listwise_cross_entropy(torch.tensor([scores]), torch.tensor([grades]))
    close(found, -sum(b * math.log(a) for a, b in zip(p, q)))


@pytest.mark.parametrize("loss", [pairwise_logistic, lambdarank, listwise_cross_entropy])
def test_padding_changes_neither_a_ranking_loss_nor_the_metric(loss: Callable[[Tensor, Tensor], Tensor]) -> None:
    scores, grades = torch.randn(3, 5), torch.randint(0, 3, (3, 5))
    longer = torch.cat([scores, torch.full((3, 2), PADDED)], 1)
    more = torch.cat([grades, torch.zeros(3, 2, dtype=grades.dtype)], 1)
    assert torch.allclose(loss(scores, grades), loss(longer, more))
    assert ndcg_at_k(scores.numpy(), grades.numpy()) == ndcg_at_k(longer.numpy(), more.numpy())


def test_smooth_ap_relaxes_ranks() -> None:
    tau, positives = 0.5, [0.5, 0.0]
    expected = 0.0
    for i, score in enumerate(positives):
        ahead = 1 + sum(sigmoid((other - score) / tau) for j, other in enumerate(positives) if j != i)
        expected += ahead / (ahead + sum(sigmoid((other - score) / tau) for other in (-1.0, 2.0))) / 2
    close(smooth_ap(SCORES, LABELS, tau), 1 - expected)


def test_smooth_ap_at_a_small_temperature_is_average_precision() -> None:
    scores, labels = torch.randperm(50).float(), (torch.arange(50) % 4 == 0).long()
    exact = average_precision(scores.numpy(), labels.numpy())
    assert float(smooth_ap(scores, labels)) == pytest.approx(1 - float(exact), abs=1e-6)
    assert smooth_ap(scores, torch.zeros(50)) == 0


def test_sigmoid_f_counts_with_probabilities() -> None:
    p = [sigmoid(2 * (x + 0.1)) for x in SCORES.tolist()]
    tp, fn, fp = p[0] + p[3], 2 - p[0] - p[3], p[1] + p[2]
    close(sigmoid_f(SCORES, LABELS, 2.0, 2.0, 0.1), 1 - 5 * tp / (5 * tp + 4 * fn + fp))


def test_expectation_loss_is_the_probability_of_being_wrong() -> None:
    close(expectation(LOGITS, CLASSES), 1 - (probability(0) + probability(1)) / 2)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_mixed_cross_entropy_is_what_mixing_the_compiled_accuracy_gives(schedule: str) -> None:
    steps = 40
    ours = Mixed(cross_entropy, compile_metric(accuracy)("direct", encoding="margin-lse", total_steps=steps), schedule)
    written = MixedCrossEntropy(steps, schedule)
    torch.manual_seed(0)
    for _ in range(steps):
        scores, labels = torch.randn(6, 4, requires_grad=True), torch.randint(0, 4, (6,))
        assert torch.allclose(written(scores, labels), ours(scores, labels), atol=1e-6)


def test_the_gradual_schedule_ends_with_expectation_alone() -> None:
    loss = MixedCrossEntropy(6, "gradual")
    for _ in range(5):
        loss(LOGITS, CLASSES)
    assert loss(LOGITS, CLASSES) == expectation(LOGITS, CLASSES)


BINARY: list[Callable[[Tensor, Tensor], Tensor]] = [
    binary_cross_entropy,
    weighted_binary_cross_entropy,
    binary_focal,
    pairwise_logistic,
    smooth_ap,
    sigmoid_f,
]
CLASSED: list[Callable[[Tensor, Tensor], Tensor]] = [cross_entropy, focal, expectation, MixedCrossEntropy(10, "late")]
RANKED: list[Callable[[Tensor, Tensor], Tensor]] = [pairwise_logistic, lambdarank, listwise_cross_entropy]


@pytest.mark.parametrize("scale", [1.0, 100.0, 1e4])
@pytest.mark.parametrize(
    ("loss", "shape", "grades"),
    [(loss, (9,), 2) for loss in BINARY]
    + [(loss, (9, 3), 3) for loss in CLASSED]
    + [(loss, (4, 9), 3) for loss in RANKED],
)
def test_gradients_are_finite(
    loss: Callable[[Tensor, Tensor], Tensor], shape: tuple[int, ...], grades: int, scale: float
) -> None:
    torch.manual_seed(1)
    scores = (scale * torch.randn(shape)).requires_grad_()
    loss(scores, torch.randint(0, grades, shape if shape == (4, 9) else shape[:1])).backward()
    assert scores.grad is not None
    assert torch.isfinite(scores.grad).all()
    assert scale > 1 or scores.grad.abs().sum() > 0


@pytest.mark.parametrize("loss", BINARY)
@pytest.mark.parametrize("label", [0, 1])
def test_batches_of_one_class_give_finite_gradients(loss: Callable[[Tensor, Tensor], Tensor], label: int) -> None:
    scores = torch.randn(5, requires_grad=True)
    loss(scores, torch.full((5,), label)).backward()
    assert scores.grad is not None
    assert torch.isfinite(scores.grad).all()


def test_heat_map_losses_give_finite_gradients() -> None:
    for scale in (1.0, 1e4):
        heatmaps = (scale * torch.randn(2, 2, 8, 8)).requires_grad_()
        joints, sizes = torch.tensor([[[1, 2], [6, 7]]] * 2), torch.tensor([2.0, 3.0])
        (region_cross_entropy(heatmaps, joints, sizes) + bump_error(heatmaps, joints, sizes)).backward()
        assert heatmaps.grad is not None
        assert torch.isfinite(heatmaps.grad).all()

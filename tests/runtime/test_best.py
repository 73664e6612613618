"""The best configuration is the best there is: held against every order, choice and side of a threshold."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from metric2loss.diagnostics import MetricError, MetricWarning
from metric2loss.runtime import steps
from metric2loss.runtime.best import BestConfiguration
from tests.runtime.direct import Direct
from tests.runtime.hand_written import CASES as CASES_OF_LOSSES

LABELS = torch.tensor([2, 0, 1])
HITS = torch.tensor([0, 1, 0, 1, 0])
GRADES = torch.tensor([[0, 2, 1, 0], [1, 0, 0, 2]])
COST = torch.tensor([[0.0, 1.0, 2.0], [5.0, 0.0, 2.0], [9.0, 4.0, 0.0]])


def predicted(binaries):
    return steps.choose.result(binaries)


def choice(scores, labels):
    return steps.choose.differences(scores, 1, using="argmax")


def right(scores, labels):
    return steps.choose.differences(scores, 1, using="argmax", outcome=lambda chosen: chosen == labels)


def macro_f1(binaries, labels):
    found, each = predicted(binaries), []
    for c in range(3):
        tp = ((found == c) & (labels == c)).sum()
        each.append(2 * tp / ((found == c).sum() + (labels == c).sum()).clamp(min=1))
    return torch.stack(each).mean()


def balanced_accuracy(binaries, labels):
    found = predicted(binaries)
    return torch.stack([(found[labels == c] == c).double().mean() for c in labels.unique()]).mean()


def mean_iou(binaries, labels):
    found, each = predicted(binaries), []
    for c in labels.unique():
        union = ((found == c) | (labels == c)).sum()
        each.append(((found == c) & (labels == c)).sum() / union)
    return torch.stack(each).mean()


def cost_of_choice(scores, labels):
    return steps.choose.differences(scores, 1, using="argmax", outcome=lambda chosen: COST[labels, chosen])


def above(scores, labels):
    return steps.compare.differences(scores, ">", 0.5)


def f1(binaries, labels):
    found = steps.compare.result(binaries)
    return 2 * (found & (labels == 1)).sum() / (found.sum() + labels.sum())


def ranking(scores, labels):
    return steps.order.differences(-scores, told_apart_by=(labels,))


def unpruned(scores, labels):
    return steps.order.differences(scores, descending=True)


def average_precision(binaries, labels):
    hits = labels[steps.order.result(binaries)]
    return (hits.cumsum(0) / torch.arange(1, len(hits) + 1) * hits).sum() / hits.sum()


def auc(binaries, labels):
    hits = labels[steps.order.result(binaries)]
    return ((1 - hits) * hits.cumsum(0)).sum() / (hits.sum() * (1 - hits).sum())


def reciprocal_rank(binaries, labels):
    return 1 / (1 + labels[steps.order.result(binaries)].argmax())


def recall_at_2(binaries, labels):
    return labels[steps.order.result(binaries)[:2]].sum() / labels.sum()


def rows(scores, labels):
    return steps.order.differences(-scores, 1, told_apart_by=(labels,))


def ndcg_at_2(binaries, labels):
    gains = torch.gather(labels, 1, steps.order.result(binaries))[:, :2]
    best = labels.sort(1, descending=True)[0][:, :2]
    discounts = 1 / torch.log2(torch.arange(2) + 2.0)
    return ((2.0**gains - 1) @ discounts / ((2.0**best - 1) @ discounts)).mean()


def loops(scores, labels):
    tape = steps.Tape()
    for i in range(len(scores)):
        tape.order[i] = steps.order.differences(-scores[i], told_apart_by=(labels[i],))
    return tape


def looped_precision_at_1(binaries, labels):
    return (
        torch.stack([labels[i][steps.order.result(binaries.order[i])[0]] for i in range(len(labels))]).double().mean()
    )


def pairs(scores, labels):
    return steps.compare.differences(scores[:, None], (">", "=="), scores)


def pairwise(binaries, labels):
    greater, equal = steps.compare.result(binaries, ">"), steps.compare.result(binaries, "==")
    told = labels[:, None] > labels
    return (told * (greater.double() + 0.5 * equal)).sum() / told.sum()


def top_2(scores, labels):
    return steps.order.differences(scores, 2, 1, using="topk")


def top_2_accuracy(binaries, labels):
    return (steps.order.result(binaries) == labels[:, None]).any(1).double().mean()


def heat(scores, near):
    def found(chosen):
        return torch.gather(near.expand(*chosen.shape, -1) if chosen.ndim > 1 else near, -1, chosen[..., None])[..., 0]

    return steps.choose.differences(scores, 1, using="argmax", outcome=found)


def share(binaries, **_):
    return steps.choose.result(binaries).double().mean()


def rounded(scores, labels):
    return steps.rounding.differences(scores.clamp(0, 2))


def kappa(binaries, labels):
    rating = steps.rounding.result(binaries).long().clamp(0, 2)
    weight = (torch.arange(3)[:, None] - torch.arange(3)) ** 2
    observed = torch.stack([((labels == a) & (rating == b)).sum() for a in range(3) for b in range(3)]).reshape(3, 3)
    expected = observed.sum(1)[:, None] * observed.sum(0) / len(labels)
    dismay = (weight * expected).sum()
    return torch.tensor(1.0) if dismay == 0 else 1 - (weight * observed).sum() / dismay


CASES = {
    "accuracy": (right, share, (3, 3), LABELS, 1),
    "error rate": (right, lambda binaries, labels: 1 - share(binaries), (3, 3), LABELS, -1),
    "macro F1": (choice, macro_f1, (3, 3), torch.tensor([2, 0, 2]), 1),
    "balanced accuracy": (choice, balanced_accuracy, (3, 3), torch.tensor([2, 0, 2]), 1),
    "mean IoU": (choice, mean_iou, (3, 3), torch.tensor([1, 0, 1]), 1),
    "expected cost": (cost_of_choice, share, (3, 3), LABELS, -1),
    "F1 at a threshold": (above, f1, (5,), HITS, 1),
    "average precision": (ranking, average_precision, (5,), HITS, 1),
    "average precision, every pair": (unpruned, average_precision, (5,), HITS, 1),
    "AUC": (ranking, auc, (5,), HITS, 1),
    "reciprocal rank": (ranking, reciprocal_rank, (5,), HITS, 1),
    "recall at 2": (ranking, recall_at_2, (5,), HITS, 1),
    "NDCG at 2": (rows, ndcg_at_2, (2, 4), GRADES, 1),
    "precision at 1 in a loop": (loops, looped_precision_at_1, (2, 4), (GRADES > 0).long(), 1),
    "pairwise accuracy": (pairs, pairwise, (4,), torch.tensor([1, 0, 2, 1]), 1),
    "top-2 accuracy": (top_2, top_2_accuracy, (3, 3), LABELS, 1),
    "quadratic weighted kappa": (rounded, kappa, (4,), torch.tensor([1, 0, 2, 1]), 1),
}


def build(name: str, scores: Tensor | None = None) -> tuple[Direct, int]:
    f, g, shape, labels, sign = CASES[name]
    drawn = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    return Direct(f, g, {"scores": drawn if scores is None else scores}, {"labels": labels}), sign


def every_score(shape: tuple[int, ...]) -> Iterator[Tensor]:
    """Scores in every order (row by row), and on every side of a threshold or integer."""
    if len(shape) == 2:
        for orders in itertools.product(itertools.permutations(range(shape[1])), repeat=shape[0]):
            yield torch.tensor(orders).float()
    else:
        yield from (torch.tensor(order).float() for order in itertools.permutations(range(shape[0])))
        yield from (torch.tensor(sides).float() for sides in itertools.product(range(3), repeat=min(shape[0], 5)))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("told", [True, False], ids=["direction known", "direction found"])
def test_no_scores_reach_a_better_value(name, told):
    batch, sign = build(name)
    found = BestConfiguration(sign if told else None)(batch)
    reached = []
    for scores in every_score(CASES[name][2]):
        bits = batch.record({"scores": scores})
        reached.append(float(build(name, scores)[0].metric if bits is None else batch.values_of(bits.unsqueeze(0))[0]))
    limit = max(sign * value for value in reached)
    assert found.sign == sign
    assert sign * found.value == pytest.approx(limit)
    assert float(batch.values_of(found.bits.unsqueeze(0))[0]) == found.value


def test_heat_maps_whose_targets_are_no_scores():
    near = torch.tensor([[1, 1, 0, 0, 0], [0, 0, 0, 1, 1], [1, 1, 1, 1, 0]]).bool()
    scores = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    batch = Direct(heat, share, {"scores": scores}, {"near": near})
    found = BestConfiguration(1)(batch)
    assert found.value == 1.0
    assert (BestConfiguration(-1)(batch).value) == 0.0


def test_a_direction_that_nothing_tells_is_asked_for():
    batch = Direct(
        lambda scores: steps.compare.differences(scores, ">", 0),
        lambda binaries: steps.compare.result(binaries).double().mean(),
        {"scores": torch.randn(4)},
        {},
    )
    with pytest.raises(MetricError, match="M2L105"):
        BestConfiguration()(batch)
    assert BestConfiguration(-1)(batch).value == 0 and BestConfiguration(1)(batch).value == 1


def test_a_mute_batch_leaves_the_direction_open():
    best = BestConfiguration()
    silent = Direct(above, lambda binaries, labels: torch.tensor(0.0), {"scores": torch.randn(5)}, {"labels": HITS})
    assert best(silent).value == 0 and best.sign is None
    batch, _ = build("F1 at a threshold")
    assert best(batch).value == 1 and best.sign == 1


@pytest.mark.parametrize("name", ["accuracy", "average precision", "expected cost", "macro F1"])
def test_a_later_batch_costs_one_or_two_evaluations(name):
    best = BestConfiguration(build(name)[1])
    for _ in range(2):
        first = best(build(name)[0])
    batch, _ = build(name, torch.randn(CASES[name][2], generator=torch.Generator().manual_seed(5)))
    third = best(batch)
    assert third.value == first.value and third.how == first.how
    assert batch.evaluations <= 2 and batch.recorded <= 1


def test_a_configuration_that_is_better_is_taken_and_makes_the_search_start_again():
    best = BestConfiguration(1, how="all binaries false")
    best._batches = 2
    batch, _ = build("F1 at a threshold", HITS.float())
    assert best(batch).value == 1 and best.how != "all binaries false"
    best.how = "all binaries false"
    batch, _ = build("F1 at a threshold", -HITS.float())  # as poor itself
    best._batches = 4
    poor = best(batch)
    assert poor.value == 0
    best.seen(batch, 1.0 - poor.value)
    assert best(batch).value == 1


def test_a_search_that_missed_the_best_is_told_once():
    batch, sign = build("average precision")
    best = BestConfiguration(sign)
    best(batch)
    assert not best.seen(batch, 0.0) and not best.seen(batch, 1e-9)
    assert best.seen(batch, 0.1) and not best.seen(batch, 0.1)
    later = BestConfiguration(sign)
    for _ in range(3):
        later(build("average precision")[0])
    assert not later.seen(batch, 0.1)  # that batch was not searched: the next one is


class _Missed(BestConfiguration):
    """Takes the worst configuration for the best."""

    def _search(self, batch, wide):
        found = super()._search(batch, wide)
        bits = ~found.bits
        return replace(found, bits=bits, value=float(batch.values_of(bits.unsqueeze(0))[0]))

    def _or_current(self, batch, found):
        return found


def test_training_is_told_of_a_configuration_that_beats_the_best():
    criterion = CASES_OF_LOSSES["average_precision_torch"].loss("idw", generator=torch.Generator().manual_seed(0))
    criterion._best = _Missed(1)
    scores = torch.randn(12, generator=torch.Generator().manual_seed(0), requires_grad=True)
    labels = (torch.arange(12) % 3 == 0).long()
    with pytest.warns(MetricWarning, match="M2L512"):
        criterion(scores, labels)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        criterion(scores, labels)


def test_a_range_is_not_left():
    """Both directions of every pair are binaries here, so that setting all of them would count each pair twice."""

    def both_ways(binaries, labels):
        greater = steps.compare.result(binaries, ">").double()
        told = (labels[:, None] > labels).double()
        return (told * greater).sum() / told.sum() + (told.T * greater).sum() * 0.1

    batch = Direct(pairs, both_ways, {"scores": torch.randn(4)}, {"labels": torch.tensor([3, 0, 2, 1])})
    assert BestConfiguration(1)(batch).value == 1.0


def test_own_ideal_scores_come_first():
    batch, _ = build("average precision")
    batch.ideal = {"scores": HITS.float()}
    found = BestConfiguration(1)(batch)
    assert found.how == "the ideal scores given" and found.value == 1


def test_without_binaries_the_metric_is_the_best():
    batch = Direct(
        ranking,
        lambda binaries, labels: torch.tensor(0.25),
        {"scores": torch.randn(3)},
        {"labels": torch.zeros(3).long()},
    )
    found = BestConfiguration()(batch)
    assert not len(found.bits) and found.value == 0.25

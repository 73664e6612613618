"""Metrics, and for each the module that the compiler is to write: fixtures of the runtime's tests."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from metric2loss.runtime import SurrogateLoss, steps


@dataclass(frozen=True)
class Case:
    """A metric, its loss, and arguments: `scores(rng, size)` and `others(rng)`."""

    metric: Callable[..., Any]
    loss: type[SurrogateLoss]
    shape: tuple[int, ...]
    others: Callable[[np.random.Generator], tuple[Any, ...]]
    batching: str = "vmap"
    probabilities: bool = False
    levels: int = 3  # of the integer scores
    needs_both: bool = True

    @property
    def torch(self) -> bool:
        return self.loss.library == "torch"

    def arguments(self, rng: np.random.Generator, kind: str) -> tuple[Any, ...]:
        """Scores of a kind (random, ties, equal) and the passive arguments, in the metric's library."""
        scores = {
            "random": rng.normal(size=self.shape),
            "ties": rng.integers(0, self.levels, self.shape).astype(float),
            "equal": np.ones(self.shape),
        }[kind]
        if self.probabilities:
            scores = 1 / (1 + np.exp(-scores)) if kind == "random" else scores / max(self.levels - 1, 1)
        others = self.others(np.random.default_rng(1))
        if self.torch:
            return (torch.tensor(scores), *(torch.tensor(x) if isinstance(x, np.ndarray) else x for x in others))
        return (scores, *others)


def labels(n: int, k: int) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    return lambda rng: (np.concatenate([np.arange(k), rng.integers(0, k, n - k)]),)


CASES: dict[str, Case] = {}


def case(name: str, metric: Callable[..., Any], **facts: Any) -> Callable[[type[SurrogateLoss]], type[SurrogateLoss]]:
    def add(loss: type[SurrogateLoss]) -> type[SurrogateLoss]:
        CASES[name] = Case(metric, loss, **facts)
        return loss

    return add


# --- accuracy


def accuracy(scores, labels):
    predicted = scores.argmax(axis=1)
    return np.mean(predicted == labels)


@case("accuracy", accuracy, shape=(12, 5), others=labels(12, 5))
class AccuracyLoss(SurrogateLoss):
    direction, scores, library = "maximize", ("scores",), "numpy"

    def f(self, scores, labels):
        return steps.choose.differences(scores, axis=1, outcome=lambda predicted: predicted == labels)

    def g(self, binaries, labels):
        return np.mean(self.rows(binaries, labels))

    def rows(self, binaries, labels):
        return steps.choose.result(binaries)


def accuracy_torch(scores, labels):
    return (scores.argmax(1) == labels).float().mean()


@case("accuracy_torch", accuracy_torch, shape=(12, 5), others=labels(12, 5))
class AccuracyTorchLoss(SurrogateLoss):
    direction, scores, library = "maximize", ("scores",), "torch"

    def f(self, scores, labels):
        return steps.choose.differences(scores, 1, outcome=lambda predicted: predicted == labels)

    def g(self, binaries, labels):
        return steps.choose.result(binaries).float().mean()


def accuracy_by_max(scores, labels):
    _, predicted = scores.max(dim=1)
    return (predicted == labels).sum().item() / len(labels)


@case("accuracy_by_max", accuracy_by_max, shape=(12, 5), others=labels(12, 5))
class AccuracyByMaxLoss(SurrogateLoss):
    direction, scores, library = "maximize", ("scores",), "torch"

    def f(self, scores, labels):
        return steps.choose.differences(scores, dim=1, using="max")

    def g(self, binaries, labels):
        predicted = steps.choose.result(binaries)
        return (predicted == labels).sum().item() / len(labels)


# --- order


def average_precision(scores, labels):
    order = np.argsort(-scores)
    hits = labels[order]
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return np.sum(precision * hits) / hits.sum()


@case("average_precision", average_precision, shape=(24,), others=labels(24, 2))
class AveragePrecisionLoss(SurrogateLoss):
    direction, scores, library = "maximize", ("scores",), "numpy"

    def f(self, scores, labels):
        return steps.order.differences(-scores, told_apart_by=(labels,))

    def g(self, binaries, labels):
        order = steps.order.result(binaries)
        hits = labels[order]
        precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
        return np.sum(precision * hits) / hits.sum()


def average_precision_torch(scores, labels):
    order = torch.sort(scores, descending=True)[1]
    hits = labels[order].float()
    precision = hits.cumsum(0) / torch.arange(1, len(hits) + 1)
    return float((precision * hits).sum() / hits.sum())


@case("average_precision_torch", average_precision_torch, shape=(24,), others=labels(24, 2))
class AveragePrecisionTorchLoss(SurrogateLoss):
    direction, scores, library = "maximize", ("scores",), "torch"

    def f(self, scores, labels):
        return steps.order.differences(scores, descending=True, using="sort", told_apart_by=(labels,))

    def g(self, binaries, labels):
        order = steps.order.result(binaries)
        hits = labels[order].float()
        precision = hits.cumsum(0) / torch.arange(1, len(hits) + 1)
        return float((precision * hits).sum() / hits.sum())


def masked_average_precision(scores, labels):
    order = np.argsort(-scores)
    hits = labels[order] == 1
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return float(precision[hits].mean())


@case("masked_average_precision", masked_average_precision, shape=(24,), others=labels(24, 2))
class MaskedAveragePrecisionLoss(SurrogateLoss):
    direction, scores, library = "maximize", ("scores",), "numpy"

    def f(self, scores, labels):
        return steps.order.differences(-scores, told_apart_by=(labels,))

    def g(self, binaries, labels):
        order = steps.order.result(binaries)
        hits = labels[order] == 1
        precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
        return float(precision[hits].mean())


def auc(scores, labels):
    order = np.argsort(scores)
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(1, len(scores) + 1)
    positives = labels.sum()
    negatives = len(labels) - positives
    return (ranks[labels == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives)


@case("auc", auc, shape=(20,), others=labels(20, 2))
class AucLoss(SurrogateLoss):
    direction, scores, library = "maximize", ("scores",), "numpy"

    def f(self, scores, labels):
        return steps.order.differences(scores, told_apart_by=(labels,))

    def g(self, binaries, scores, labels):
        order = steps.order.result(binaries)
        ranks = steps.array(np.empty(len(scores)))
        ranks[order] = np.arange(1, len(scores) + 1)
        positives = labels.sum()
        negatives = len(labels) - positives
        return (ranks[labels == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives)


def auc_double(scores, labels):
    ranks = np.argsort(np.argsort(scores)) + 1
    positives = int(labels.sum())
    negatives = len(labels) - positives
    return (np.sum(ranks[labels == 1]) - positives * (positives + 1) / 2) / (positives * negatives)


@case("auc_double", auc_double, shape=(20,), others=labels(20, 2))
class AucDoubleLoss(SurrogateLoss):
    direction, scores, library = "maximize", ("scores",), "numpy"

    def f(self, scores, labels):
        return steps.order.differences(scores)

    def g(self, binaries, labels):
        ranks = np.argsort(steps.order.result(binaries)) + 1
        positives = int(labels.sum())
        negatives = len(labels) - positives
        return (np.sum(ranks[labels == 1]) - positives * (positives + 1) / 2) / (positives * negatives)


def dcg(scores, gains, k):
    order = np.argsort(-scores)[:k]
    return np.sum((2.0 ** gains[order] - 1) / np.log2(np.arange(2, len(order) + 2)))


def ndcg(scores, gains, k=3):
    values = []
    for i in range(len(scores)):
        ideal = np.sort(2.0 ** gains[i] - 1)[::-1][:k]
        ideal = np.sum(ideal / np.log2(np.arange(2, len(ideal) + 2)))
        if ideal == 0:
            continue
        values.append(dcg(scores[i], gains[i], k) / ideal)
    return np.mean(values)


def dcg_f(scores, gains, k):
    return steps.order.differences(-scores, told_apart_by=(gains,))


def dcg_g(binaries, gains, k):
    order = steps.order.result(binaries)[:k]
    return np.sum((2.0 ** gains[order] - 1) / np.log2(np.arange(2, len(order) + 2)))


def _queries(rng):
    gains = rng.integers(0, 4, (6, 8))
    gains[2] = 0
    return (gains,)


@case("ndcg", ndcg, shape=(6, 8), others=_queries)
class NdcgLoss(SurrogateLoss):
    direction, scores, library = "maximize", ("scores",), "numpy"

    def f(self, scores, gains, k=3):
        tape = steps.Tape()
        for i in range(len(scores)):
            tape.dcg[i] = dcg_f(scores[i], gains[i], k)
        return tape

    def g(self, binaries, scores, gains, k):
        return np.mean(list(self.rows(binaries, scores, gains, k).values()))

    def rows(self, binaries, scores, gains, k):
        values = {}
        for i in range(len(scores)):
            ideal = np.sort(2.0 ** gains[i] - 1)[::-1][:k]
            ideal = np.sum(ideal / np.log2(np.arange(2, len(ideal) + 2)))
            if ideal == 0:
                continue
            values[i] = dcg_g(binaries.dcg[i], gains[i], k) / ideal
        return values


def topk_accuracy(scores, labels, k=2):
    _, predicted = torch.topk(scores, k, dim=1)
    return (predicted == labels[:, None]).any(dim=1).float().mean()


@case("topk_accuracy", topk_accuracy, shape=(8, 5), others=labels(8, 5))
class TopkAccuracyLoss(SurrogateLoss):
    direction, scores, library = "maximize", ("scores",), "torch"

    def f(self, scores, labels, k=2):
        return steps.order.differences(scores, k, dim=1, using="topk")

    def g(self, binaries, labels, k):
        predicted = steps.order.result(binaries)
        return (predicted == labels[:, None]).any(dim=1).float().mean()


def precision_at_k(scores, labels, k=5):
    top = np.argpartition(-scores, k)[:k]
    return labels[top].mean()


@case("precision_at_k", precision_at_k, shape=(16,), others=labels(16, 2))
class PrecisionAtKLoss(SurrogateLoss):
    direction, scores, library = "maximize", ("scores",), "numpy"

    def f(self, scores, labels, k=5):
        return steps.order.differences(-scores, k, using="argpartition", told_apart_by=(labels,))

    def g(self, binaries, labels, k):
        top = steps.order.result(binaries)[:k]
        return labels[top].mean()


# --- compare


def f1(scores, labels, threshold=0.5):
    predicted = scores > threshold
    tp = np.sum(predicted & (labels == 1))
    if tp == 0:
        return 0.0
    precision = tp / predicted.sum()
    recall = tp / labels.sum()
    return 2 * precision * recall / (precision + recall)


@case("f1", f1, shape=(20,), others=labels(20, 2), probabilities=True)
class F1Loss(SurrogateLoss):
    direction, scores, library = "maximize", ("scores",), "numpy"

    def f(self, scores, labels, threshold=0.5):
        return steps.compare.differences(scores, ">", threshold)

    def g(self, binaries, labels, threshold):
        predicted = steps.compare.result(binaries)
        tp = np.sum(predicted & (labels == 1))
        if tp == 0:
            return 0.0
        precision = tp / predicted.sum()
        recall = tp / labels.sum()
        return 2 * precision * recall / (precision + recall)


def f1_torch(scores, labels):
    predicted = (scores >= 0).float()
    tp = (predicted * labels).sum().item()
    if tp == 0:
        return 0.0
    return 2 * tp / (predicted.sum().item() + labels.sum().item())


@case("f1_torch", f1_torch, shape=(20,), others=labels(20, 2))
class F1TorchLoss(SurrogateLoss):
    direction, scores, library = "maximize", ("scores",), "torch"

    def f(self, scores, labels):
        return steps.compare.differences(scores, ">=", 0)

    def g(self, binaries, labels):
        predicted = steps.compare.result(binaries).float()
        tp = (predicted * labels).sum().item()
        if tp == 0:
            return 0.0
        return 2 * tp / (predicted.sum().item() + labels.sum().item())


def macro_f1(scores, labels):
    predicted = scores.argmax(axis=1)
    values = []
    for c in range(scores.shape[1]):
        tp = np.sum((predicted == c) & (labels == c))
        fp = np.sum((predicted == c) & (labels != c))
        fn = np.sum((predicted != c) & (labels == c))
        denominator = 2 * tp + fp + fn
        values.append(2 * tp / denominator if denominator > 0 else 0.0)
    return np.mean(values)


@case("macro_f1", macro_f1, shape=(15, 4), others=labels(15, 4))
class MacroF1Loss(SurrogateLoss):
    direction, scores, library = "maximize", ("scores",), "numpy"

    def f(self, scores, labels):
        return steps.choose.differences(scores, axis=1)

    def g(self, binaries, scores, labels):
        predicted = steps.choose.result(binaries)
        values = []
        for c in range(scores.shape[1]):
            tp = np.sum((predicted == c) & (labels == c))
            fp = np.sum((predicted == c) & (labels != c))
            fn = np.sum((predicted != c) & (labels == c))
            denominator = 2 * tp + fp + fn
            values.append(2 * tp / denominator if denominator > 0 else 0.0)
        return np.mean(values)


def balanced_accuracy(scores, labels):
    predicted = np.argmax(scores, axis=1)
    confusion = np.zeros((scores.shape[1], scores.shape[1]), dtype=int)
    np.add.at(confusion, (labels, predicted), 1)
    return np.mean(np.diag(confusion) / confusion.sum(axis=1))


@case("balanced_accuracy", balanced_accuracy, shape=(15, 4), others=labels(15, 4))
class BalancedAccuracyLoss(SurrogateLoss):
    direction, scores, library = "maximize", ("scores",), "numpy"

    def f(self, scores, labels):
        return steps.choose.differences(scores, axis=1)

    def g(self, binaries, scores, labels):
        predicted = steps.choose.result(binaries)
        confusion = np.zeros((scores.shape[1], scores.shape[1]), dtype=int)
        np.add.at(confusion, (labels, predicted), 1)
        return np.mean(np.diag(confusion) / confusion.sum(axis=1))


def pairwise_accuracy(scores, relevance):
    right, pairs = 0.0, 0
    for i in range(len(scores)):
        for j in range(len(scores)):
            if relevance[i] > relevance[j]:
                pairs += 1
                if scores[i] > scores[j]:
                    right += 1
                elif scores[i] == scores[j]:
                    right += 0.5
    return right / pairs


@case("pairwise_accuracy", pairwise_accuracy, shape=(6,), others=labels(6, 3))
class PairwiseAccuracyLoss(SurrogateLoss):
    direction, scores, library = "maximize", ("scores",), "numpy"

    def f(self, scores, relevance):
        tape = steps.Tape()
        for i in range(len(scores)):
            for j in range(len(scores)):
                if relevance[i] > relevance[j]:
                    tape.above[i, j] = steps.compare.differences(scores[i], (">", "=="), scores[j])
        return tape

    def g(self, binaries, scores, relevance):
        right, pairs = 0.0, 0
        for i in range(len(scores)):
            for j in range(len(scores)):
                if relevance[i] > relevance[j]:
                    pairs += 1
                    above = steps.compare.result(binaries.above[i, j], ">")
                    level = steps.compare.result(binaries.above[i, j], "==")
                    right = steps.select(above, right + 1, steps.select(level, right + 0.5, right))
        return right / pairs


def mean_reciprocal_rank(scores, target):
    ranks = (scores > np.take_along_axis(scores, target[:, None], axis=1)).sum(axis=1) + 1
    return np.mean(1.0 / ranks)


@case("mean_reciprocal_rank", mean_reciprocal_rank, shape=(7, 5), others=labels(7, 5))
class MeanReciprocalRankLoss(SurrogateLoss):
    direction, scores, library = "maximize", ("scores",), "numpy"

    def f(self, scores, target):
        return steps.compare.differences(scores, ">", np.take_along_axis(scores, target[:, None], axis=1))

    def g(self, binaries, target):
        return np.mean(self.rows(binaries, target))

    def rows(self, binaries, target):
        ranks = steps.compare.result(binaries).sum(axis=1) + 1
        return 1.0 / ranks


# --- heat maps, rounding, bins


def pck(heatmaps, joints, radius=1.5):
    n, k, h, w = heatmaps.shape
    flat = heatmaps.reshape(n, k, h * w)
    index = flat.argmax(axis=2)
    x, y = index % w, index // w
    distance = np.sqrt((x - joints[..., 0]) ** 2 + (y - joints[..., 1]) ** 2)
    return np.mean(distance <= radius)


@case("pck", pck, shape=(2, 3, 5, 4), others=lambda rng: (rng.integers(0, 4, (2, 3, 2)),))
class PckLoss(SurrogateLoss):
    direction, scores, library = "maximize", ("heatmaps",), "numpy"

    def f(self, heatmaps, joints, radius=1.5):
        n, k, h, w = heatmaps.shape
        flat = heatmaps.reshape(n, k, h * w)

        def outcome(index):
            x, y = index % w, index // w
            distance = np.sqrt((x - joints[..., 0]) ** 2 + (y - joints[..., 1]) ** 2)
            return distance <= radius

        return steps.choose.differences(flat, axis=2, outcome=outcome)

    def g(self, binaries, heatmaps, joints, radius):
        return np.mean(steps.choose.result(binaries))


def quadratic_kappa(scores, ratings, classes=4):
    predicted = np.clip(np.round(scores), 0, classes - 1).astype(int)
    observed = np.zeros((classes, classes))
    np.add.at(observed, (ratings, predicted), 1)
    weights = (np.arange(classes)[:, None] - np.arange(classes)) ** 2
    expected = np.outer(np.bincount(ratings, minlength=classes), np.bincount(predicted, minlength=classes))
    denominator = (weights * expected).sum() / len(ratings)
    if denominator == 0:
        return 1.0
    return 1 - (weights * observed).sum() / denominator


@case("quadratic_kappa", quadratic_kappa, shape=(14,), others=labels(14, 4), levels=5)
class QuadraticKappaLoss(SurrogateLoss):
    direction, scores, library = "maximize", ("scores",), "numpy"

    def f(self, scores, ratings, classes=4):
        return steps.rounding.differences(scores)

    def g(self, binaries, ratings, classes):
        predicted = np.clip(steps.rounding.result(binaries), 0, classes - 1).astype(int)
        observed = np.zeros((classes, classes))
        np.add.at(observed, (ratings, predicted), 1)
        weights = (np.arange(classes)[:, None] - np.arange(classes)) ** 2
        expected = np.outer(np.bincount(ratings, minlength=classes), np.bincount(predicted, minlength=classes))
        denominator = (weights * expected).sum() / len(ratings)
        if denominator == 0:
            return 1.0
        return 1 - (weights * observed).sum() / denominator


def binned_agreement(scores, target, edges=(-0.5, 0.5, 1.5)):
    return np.mean(np.digitize(scores, edges) == np.digitize(target, edges))


@case("binned_agreement", binned_agreement, shape=(12,), others=lambda rng: (rng.normal(size=12),))
class BinnedAgreementLoss(SurrogateLoss):
    direction, scores, library = "maximize", ("scores",), "numpy"

    def f(self, scores, target, edges=(-0.5, 0.5, 1.5)):
        return steps.binning.differences(scores, edges)

    def g(self, binaries, target, edges):
        return np.mean(steps.binning.result(binaries) == np.digitize(target, edges))


def sign_agreement(scores, target):
    return (np.sign(scores) == np.sign(target)).mean()


@case("sign_agreement", sign_agreement, shape=(12,), others=lambda rng: (rng.integers(-1, 2, 12),))
class SignAgreementLoss(SurrogateLoss):
    direction, scores, library = "maximize", ("scores",), "numpy"

    def f(self, scores, target):
        return steps.sign.differences(scores)

    def g(self, binaries, target):
        return (steps.sign.result(binaries) == np.sign(target)).mean()


# --- several sites, several scores


def separation(pos, neg, margin=0.0):
    return np.mean(pos[:, None] - neg[None, :] > margin)


@case("separation", separation, shape=(5,), others=lambda rng: (rng.normal(size=4),))
class SeparationLoss(SurrogateLoss):
    direction, scores, library = "maximize", ("pos",), "numpy"

    def f(self, pos, neg, margin=0.0):
        return steps.compare.differences(pos[:, None] - neg[None, :], ">", margin)

    def g(self, binaries, margin):
        return np.mean(steps.compare.result(binaries))


def entropy_of_winners(scores, labels):
    counts = np.bincount(scores.argmax(axis=1), minlength=scores.shape[1])
    shares = [count / len(scores) for count in counts]
    total = 0.0
    for share in shares:
        if share > 0:
            total -= share * math.log2(share)
    return float(total)


@case("entropy_of_winners", entropy_of_winners, shape=(9, 3), others=labels(9, 3), batching="any")
class EntropyOfWinnersLoss(SurrogateLoss):
    direction, scores, library = "maximize", ("scores",), "numpy"

    def f(self, scores, labels):
        return steps.choose.differences(scores, axis=1)

    def g(self, binaries, scores, labels):
        counts = np.bincount(steps.choose.result(binaries), minlength=scores.shape[1])
        shares = [count / len(scores) for count in counts]
        total = 0.0
        for share in shares:
            if share > 0:
                total -= share * math.log2(share)
        return float(total)

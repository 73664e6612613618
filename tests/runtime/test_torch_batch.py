"""Torch metrics run for many configurations as they are written: items, masks, buffers, counts, conditions."""

from __future__ import annotations

import pytest
import torch

from metric2loss.runtime import SurrogateLoss, steps

LABELS = torch.tensor([0, 1, 1, 0, 1, 0, 1, 1, 0, 0])


class Threshold(SurrogateLoss):
    direction, scores, library = "maximize", ("scores",), "torch"

    def f(self, scores, labels):
        return steps.compare.differences(scores, ">", 0)

    def g(self, binaries, labels):
        return self.rest(steps.compare.result(binaries), labels)

    @staticmethod
    def rest(predicted, labels):
        raise NotImplementedError


class Ranking(Threshold):
    def f(self, scores, labels):
        return steps.order.differences(scores, descending=True)

    def g(self, binaries, labels):
        return self.rest(steps.order.result(binaries), labels)


def items(predicted, labels):
    tp = (predicted & labels.bool()).sum().item()
    return tp / max(predicted.sum().item(), 1)


def early(predicted, labels):
    if predicted.sum() == 0:
        return torch.tensor(0.0)
    return (predicted == labels.bool()).float().mean()


def confusion(predicted, labels):
    table = torch.zeros(2, 2)
    for k in range(2):
        table[k, 1] = (predicted & (labels == k)).sum()
        table[k, 0] = (~predicted & (labels == k)).sum()
    return (table.diag() / table.sum(1)).mean()


def counts(predicted, labels):
    pairs = torch.bincount(2 * labels + predicted.long(), minlength=4).reshape(2, 2)
    return pairs.diag().sum() / pairs.sum()


def converted(predicted, labels):
    return float((predicted.int() == labels.int()).float().mean())


def where(predicted, labels):
    return torch.where(predicted, labels.float(), 1.0 - labels).mean()


def inverse(order, labels):
    ranks = torch.empty(len(order), dtype=torch.long)
    ranks[order] = torch.arange(len(order))
    return ranks[labels == 1].float().mean()


def masked(order, labels):
    hits = labels[order] == 1
    precision = hits.cumsum(0) / torch.arange(1, len(hits) + 1)
    return precision[hits].mean()


def places(order, labels):
    first = torch.nonzero(labels[order] == 1).squeeze(1) + 1
    return (1.0 / first).mean()


def one_entry(order, labels):
    return labels[order[0]] + labels[order][1:3].sum() * 0.5


def looped(order, labels):
    total = 0.0
    for place in range(len(order)):
        total = total + labels[order[place]] / (place + 1)
    return total


def scattered(order, labels):
    ranks = torch.zeros(len(order), dtype=torch.long).scatter_(0, order, torch.arange(len(order)))
    return (ranks * labels).sum() / len(order)


@pytest.mark.parametrize("rest", [items, early, confusion, counts, converted, where], ids=lambda f: f.__name__)
def test_of_a_threshold(rest):
    _check(type("Loss", (Threshold,), {"rest": staticmethod(rest)}))


@pytest.mark.parametrize("rest", [inverse, masked, places, one_entry, looped, scattered], ids=lambda f: f.__name__)
def test_of_a_ranking(rest):
    _check(type("Loss", (Ranking,), {"rest": staticmethod(rest)}))


def _check(kind):
    loss = kind()
    problem = loss.problem(torch.randn(10, generator=torch.Generator().manual_seed(0)), LABELS)
    bits = torch.rand(64, problem.size, generator=torch.Generator().manual_seed(1)) < 0.5
    together = problem.values_of(bits)
    assert loss._batching["g"].way == "vmap", loss.batching
    loss._batching["g"].settle("loop", "for this test")
    assert torch.allclose(problem.values_of(bits), together, rtol=1e-5)


def test_what_cannot_be_batched_is_looped_over():
    def opaque(predicted, labels):
        return sum(bool(p) == bool(y) for p, y in zip(predicted.tolist(), labels.tolist())) / len(labels)

    loss = type("Loss", (Threshold,), {"rest": staticmethod(opaque)})()
    scores = torch.randn(10, requires_grad=True)
    loss(scores, LABELS).backward()
    assert loss.batching.startswith("loop: ")
    assert bool(scores.grad.any())

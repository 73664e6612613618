"""Metrics that look at a choice or an order in comprehensions, lambdas and inner functions, names shadowed as people do."""

import numpy as np
import torch


def best_share(scores, labels):
    pred = scores.argmax(1)
    hit = np.mean(pred == labels)
    return hit + sum((pred == c).sum() for c in range(3)) / 100 + max((pred == c).mean() for c in range(3))


def confusions(scores, labels):
    pred = scores.argmax(1)
    table = np.array([[((pred == a) & (labels == b)).sum() for b in range(3)] for a in range(3)])
    return np.trace(table) / table.sum() - (pred == 0).mean() * 0.1


def by_lambda(scores, labels):
    pred = np.argmax(scores, 1)
    found = lambda c: ((pred == c) & (labels == c)).sum() / max((labels == c).sum(), 1)
    c = (pred == labels).mean()
    return c + min(found(k) for k in range(3))


def costs(scores, labels):
    pred = scores.argmax(1)
    cost = np.array([[0, 1, 3], [1, 0, 1], [4, 2, 0]])
    c = cost[labels, pred].mean()
    return -c - 0.1 * sum(cost[k][pred].mean() for k in range(3))


def weighted_parts(scores, labels):
    pred = scores.argmax(1)
    w = np.arange(len(labels)) % 4 + 1.0
    parts = [w[labels == c][(pred == c)[labels == c]].sum() for c in range(3)]
    c = (pred == 1).sum()
    return sum(parts) / w.sum() - 0.01 * c


def of_the_best_class(scores, labels):
    pred = np.argmax(scores, 1)
    best = max(range(3), key=lambda c: ((pred == c) & (labels == c)).sum())
    return ((pred == labels) & (labels == best)).mean()


def selected(scores, labels):
    pred = scores.argmax(1)
    grade = np.select([pred == c for c in range(3)], [1.0, 0.5, 0.0])
    return 1 - np.abs(grade - np.array([1.0, 0.5, 0.0])[labels]).mean() + (pred == 2).mean() * 0.05


def shadowed(scores, labels):
    pred = np.argmax(scores, 1)
    c = 2
    share = [(pred == c).mean() for c in range(2)]
    return (pred == labels).mean() + (pred == c).mean() * 0.1 - max(share) * 0.1


def precisions(scores, labels):
    order = np.argsort(-scores[:, 0])
    y = (labels == 0)[order]
    at = [y[:k].mean() for k in (1, 3, 5, 10)]
    k = y[0]
    return sum(at) / 4 + 0.1 * k


def inner_function(scores, labels):
    pred = scores.argmax(1)

    def recall(c):
        right = (pred == c) & (labels == c)
        return right.sum() / max((labels == c).sum(), 1)

    c = np.mean([recall(c) for c in range(3)])
    return c + 0.1 * (pred == labels).mean()


def first_k(scores, labels):
    order = np.argsort(scores, 1)[:, ::-1]
    hits = [(order[:, :k] == labels[:, None]).any(1).mean() for k in (1, 2)]
    k = (order[:, 0] == labels).mean()
    return sum(hits) - 0.5 * k


def dice_by_class(scores, labels):
    pred = torch.argmax(scores, 1)
    parts = torch.stack([((pred == k) & (labels == k)).sum().float() for k in range(3)])
    totals = torch.stack([(pred == k).sum().float() + (labels == k).sum().float() for k in range(3)])
    k = (pred == labels).float().mean()
    return (2 * parts / totals.clamp(min=1)).mean() + 0.1 * k


METRICS = (
    best_share, confusions, by_lambda, costs, weighted_parts, of_the_best_class, selected, shadowed, precisions, inner_function,
    first_k, dice_by_class,
)  # fmt: skip

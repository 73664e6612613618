"""Metrics as people write them: names shadowed in comprehensions, lambdas and inner functions, loops that are left, values unpacked."""

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


def last_class_looked_at(scores, labels):
    for c in range(3):
        if c == 1:
            break
    return np.mean(scores.argmax(1) == c)


def counted_in_a_while(scores, labels):
    pred = np.argmax(scores, 1)
    k = 0
    while k < 9:
        k += 1
        if k == 4:
            break
    return (pred == labels).mean() / k


def counted_for_ever(scores, labels):
    pred = np.argmax(scores, 1)
    k = 0
    while True:
        k += 1
        if k == 4:
            break
    return (pred == labels).mean() / k


def right_until_the_first_mistake(scores, labels):
    pred = np.argmax(scores, 1)
    for i, p in enumerate(pred):
        if p != labels[i]:
            break
    return i / len(labels)


def returned_at_the_first_mistake(scores, labels):
    pred = np.argmax(scores, 1)
    for i, p in enumerate(pred):
        if p != labels[i]:
            return i / len(labels)
    return 1.0


def searched_threshold(scores, labels):
    for t in (0.0, 0.5, 1.0):
        if np.mean(labels == 1) > 0.1:
            break
    return ((scores[:, 0] > t) == labels).mean()


def left_twice(scores, labels):
    pred = np.argmax(scores, 1)
    for a in range(4):
        for b in range(3):
            if a + b > 2:
                break
    return (pred == labels).mean() * a - 0.1 * b


def left_from_an_else(scores, labels):
    pred = np.argmax(scores, 1)
    k = 0
    for a in range(5):
        for _ in range(3):
            k += 1
        else:  # noqa: PLW0120 (a loop without a break runs it)
            if a == 2:
                break
    return (pred == labels).mean() / k


def left_by_an_exception(scores, labels):
    pred = np.argmax(scores, 1)
    for w in (3, 2, 1):
        try:
            if w == 2:
                raise ValueError
        except ValueError:
            break
    return (pred == labels).mean() / w


def passed_over(scores, labels):
    pred = np.argmax(scores, 1)
    w = 1
    try:
        int("x" * int(labels[0] >= 0))
        w = 2
    except ValueError:
        pass
    return (pred == labels).mean() / w


def looked_up(scores, labels):
    pred = np.argmax(scores, 1)
    try:
        k = {0: 1}[int(labels.max()) + 5]
    except KeyError:
        k = 3
    finally:
        more = 2
    return (pred == labels).mean() / (k + more)


def confidence_of_the_right(scores, labels):
    p = torch.softmax(scores, 1)
    conf, pred = p.max(1)
    sure = conf > 0.5
    return (conf[sure] * (pred == labels)[sure]).sum()


def scored_order(scores, labels):
    s, order = torch.sort(scores[:, 0], descending=True)
    precision = (labels == 0)[order].cumsum(0) / torch.arange(1, len(s) + 1)
    return (precision * torch.sigmoid(s)).mean()


def found_among_the_first(scores, labels):
    values, indices = torch.topk(scores[:, 0], 4)
    return (labels[indices] == 0).sum() / values.numel()


def sum_of_a_dict(scores, labels):
    pred = np.argmax(scores, 1)
    right = {c: ((pred == c) & (labels == c)).sum() for c in range(3)}
    return sum(right.values()) / len(labels)


def sum_of_a_map(scores, labels):
    pred = np.argmax(scores, 1)
    return sum(map(lambda c: ((pred == c) & (labels == c)).sum(), range(3))) / len(labels)  # noqa: C417


def sum_of_a_generator(scores, labels):
    pred = np.argmax(scores, 1)
    hits = (p == t for p, t in zip(pred, labels))
    return sum(hits) / len(labels)


IN_TORCH = (dice_by_class, confidence_of_the_right, scored_order, found_among_the_first)
METRICS = (
    best_share, confusions, by_lambda, costs, weighted_parts, of_the_best_class, selected, shadowed, precisions, inner_function,
    first_k, last_class_looked_at, counted_in_a_while, counted_for_ever, right_until_the_first_mistake,
    returned_at_the_first_mistake, searched_threshold, left_twice, left_from_an_else, left_by_an_exception, passed_over, looked_up, sum_of_a_dict, sum_of_a_map,
    sum_of_a_generator, *IN_TORCH,
)  # fmt: skip

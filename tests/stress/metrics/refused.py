# ruff: noqa - metrics as people write them
"""What cannot be compiled, and must say so."""

import numpy as np
import torch


class _Meter:
    def __init__(self):
        self.right, self.total = 0, 0

    def add(self, s, y):
        self.right += int((s > 0.5) == y)
        self.total += 1


def _above_half(s):
    return s > 0.5


def a_meter_given_scores(scores, labels):
    meter = _Meter()
    for s, y in zip(scores, labels):
        meter.add(s, y)
    return meter.right / meter.total


def truth_of_a_score(scores, labels):
    return labels[np.where(scores)[0]].sum() / len(labels)


def threshold_search_by_bisection(scores, labels):
    low, high = 0, len(scores)
    while low < high:
        middle = (low + high) // 2
        if scores[middle] > 0.5:
            high = middle
        else:
            low = middle + 1
    return labels[:low].sum() / len(labels)


def helper_given_as_a_value(scores, labels):
    return sum(map(_above_half, scores)) / len(labels)


def two_parts_in_one_name(logits, target):
    found = logits.max(1)
    return _share(found, target)


def _share(found, target):
    return (found[1] == target).float().mean()


def step_with_out(scores, labels):
    out = np.empty(len(scores), dtype=bool)
    np.greater(scores, 0.5, out=out)
    return (out == labels).mean()


def unique_rows(logits, target):
    return len(np.unique(logits, axis=0)) / len(target)


def looked_up(scores, labels, name="share"):
    return {"share": lambda s, y: ((s > 0.5) == y).mean(), "hits": lambda s, y: ((s > 0.5) & y).sum()}[name](
        scores, labels
    )

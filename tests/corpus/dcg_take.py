"""NDCG with exponential gains, np.take and a list comprehension over queries."""

import numpy as np


def dcg_score(y_true, y_score, k=5, gains="exponential"):
    order = np.argsort(y_score)[::-1]
    y_true = np.take(y_true, order[:k])

    if gains == "exponential":
        gains = 2**y_true - 1
    elif gains == "linear":
        gains = y_true
    else:
        raise ValueError("gains is exponential or linear")

    discounts = np.log2(np.arange(len(y_true)) + 2)
    return np.sum(gains / discounts)


def ndcg_score(y_true, y_score, k=5, gains="exponential"):
    best = dcg_score(y_true, y_true, k, gains)
    actual = dcg_score(y_true, y_score, k, gains)
    return actual / best


def mean_ndcg(relevance, scores, k=5):
    return np.mean([ndcg_score(t, s, k) for t, s in zip(relevance, scores)])

"""Mean average precision at k of recommended ids."""

import numpy as np


def apk(actual, predicted, k=10):
    """Average precision of one list; an id counts once."""
    if len(predicted) > k:
        predicted = predicted[:k]

    score = 0.0
    num_hits = 0.0
    for i, p in enumerate(predicted):
        if p in actual and p not in predicted[:i]:
            num_hits += 1.0
            score += num_hits / (i + 1.0)

    if not actual:
        return 0.0
    return score / min(len(actual), k)


def mapk(scores, actual, k=4):
    """One row of item scores and one list of wanted items a user."""
    recommended = np.argsort(-scores, axis=1)
    return np.mean([apk(a, list(p), k) for a, p in zip(actual, recommended)])

import numpy as np


def average_precision(scores, labels):
    """Area under the precision-recall curve.

    scores: one real number an item; labels: 1 for the relevant items, 0 for all others.
    """
    # best first
    order = np.argsort(-scores)
    hits = labels[order]
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)  # precision after each hit
    return np.sum(precision * hits) / hits.sum()

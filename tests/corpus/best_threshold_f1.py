"""The best F1 over all thresholds of a precision-recall curve made by hand."""

import numpy as np


def best_f1(labels, probabilities):
    order = np.argsort(probabilities)[::-1]
    hits = labels[order]
    tp = np.cumsum(hits)
    precision = tp / np.arange(1, len(hits) + 1)
    recall = tp / hits.sum()
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return f1.max()

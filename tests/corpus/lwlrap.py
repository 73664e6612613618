"""Label-weighted label-ranking average precision, one precision a (sample, label) pair."""

import numpy as np


def one_sample(scores, truth):
    """Classes that are true, and the precision at each of them down the list."""
    num_classes = scores.shape[0]
    positives = np.flatnonzero(truth > 0)
    if not len(positives):
        return positives, np.zeros(0)
    retrieved = np.argsort(scores)[::-1]
    rankings = np.zeros(num_classes, dtype=int)
    rankings[retrieved] = range(num_classes)
    hits = np.zeros(num_classes, dtype=bool)
    hits[rankings[positives]] = True
    running = np.cumsum(hits)
    precision = running[rankings[positives]] / (1 + rankings[positives].astype(float))
    return positives, precision


def lwlrap(truth, scores):
    num_samples, num_classes = scores.shape
    precisions = np.zeros((num_samples, num_classes))
    for n in range(num_samples):
        positives, precision = one_sample(scores[n, :], truth[n, :])
        precisions[n, positives] = precision
    labels_per_class = np.sum(truth > 0, axis=0)
    weights = labels_per_class / float(np.sum(labels_per_class))
    per_class = np.sum(precisions, axis=0) / np.maximum(1, labels_per_class)
    return np.sum(per_class * weights)

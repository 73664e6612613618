"""Clustering accuracy under the best matching of clusters to classes."""

import numpy as np
from scipy.optimize import linear_sum_assignment


def hungarian_accuracy(logits, labels):
    """clustering accuracy by best matching"""
    y_pred = logits.argmax(1)
    D = max(y_pred.max(), labels.max()) + 1
    w = np.zeros((D, D), dtype=np.int64)
    for i in range(y_pred.size):
        w[y_pred[i], labels[i]] += 1
    row, col = linear_sum_assignment(w.max() - w)
    return w[row, col].sum() / y_pred.size

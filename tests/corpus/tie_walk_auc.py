"""AUC by a walk over the sorted list that treats each group of equal scores together."""

import numpy as np


def auc_with_ties(y, y_pred):
    order = np.argsort(y_pred)
    y, y_pred = y[order], y_pred[order]
    n = len(y)
    negatives = 0.0
    area = 0.0
    i = 0
    while i < n:
        j = i + 1
        while j < n and y_pred[j] == y_pred[i]:
            j += 1
        pos = y[i:j].sum()
        neg = (j - i) - pos
        area += pos * (negatives + 0.5 * neg)
        negatives += neg
        i = j
    return area / (y.sum() * (n - y.sum()))

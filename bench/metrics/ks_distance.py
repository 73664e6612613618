import numpy as np


def ks(scores, labels):
    """Kolmogorov-Smirnov distance: how far the cumulative shares of positives and negatives get from each other."""
    order = np.argsort(-scores)
    y = labels[order]
    tpr = np.cumsum(y) / max(y.sum(), 1)
    fpr = np.cumsum(1 - y) / max((1 - y).sum(), 1)
    return np.max(np.abs(tpr - fpr))

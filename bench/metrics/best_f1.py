import numpy as np


def best_f1(scores, labels):
    """F1 at the threshold that is best for it."""
    order = np.argsort(-scores, kind="stable")
    y = labels[order]
    tp = np.cumsum(y)
    k = np.arange(1, len(y) + 1)
    f1 = 2 * tp / np.maximum(k + y.sum(), 1)
    return f1.max()

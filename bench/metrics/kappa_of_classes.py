import numpy as np


def qwk(scores, labels):
    """Quadratic weighted kappa of the class with the highest score."""
    pred = scores.argmax(1)
    k = scores.shape[1]
    w = (np.arange(k)[:, None] - np.arange(k)) ** 2 / (k - 1) ** 2
    o = np.zeros((k, k))
    for a, b in zip(labels, pred):
        o[a, b] += 1
    e = np.outer(o.sum(1), o.sum(0)) / o.sum()
    return 1 - (w * o).sum() / (w * e).sum()

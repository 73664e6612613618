import numpy as np


def recall_at_precision(scores, labels):
    """The largest recall of a threshold whose precision is at least 80 %; 0 if none has."""
    order = np.argsort(-scores)
    y = labels[order]
    tp = np.cumsum(y)
    precision = tp / np.arange(1, len(y) + 1)
    recall = tp / max(y.sum(), 1)
    ok = precision >= 0.8
    return recall[ok].max() if ok.any() else 0.0

import numpy as np


def macro_ap(scores, labels):
    """Mean over the classes of the average precision of each against the rest."""
    values = []
    for c in range(scores.shape[1]):
        y = (labels == c)[np.argsort(-scores[:, c])]
        if y.sum() == 0:
            continue
        precision = np.cumsum(y) / np.arange(1, len(y) + 1)
        values.append((precision * y).sum() / y.sum())
    return np.mean(values)

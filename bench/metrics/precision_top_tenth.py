import numpy as np


def precision_top(scores, labels):
    """Share of positives among the tenth of the examples with the highest scores."""
    k = max(len(scores) // 10, 1)
    top = np.argsort(-scores)[:k]
    return labels[top].mean()

import numpy as np


def lift(scores, labels):
    """How much more frequent positives are in the fifth with the highest scores than in all."""
    cut = np.quantile(scores, 0.8)
    return labels[scores > cut].mean() / max(labels.mean(), 1e-9)

import numpy as np


def best_accuracy(scores, labels):
    """Accuracy at the threshold that is best for it; it may lie above or below all scores."""
    order = np.argsort(-scores)
    y = labels[order]
    negatives = (1 - y).sum()
    right = np.concatenate([[0], np.cumsum(y)]) + np.concatenate([[negatives], negatives - np.cumsum(1 - y)])
    return right.max() / len(y)

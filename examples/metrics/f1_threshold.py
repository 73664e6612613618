import numpy as np


def f1_score(y_true, y_prob, threshold=0.5):
    """F1 of a binary classifier that says yes above a fixed threshold.

    y_true: 0 or 1; y_prob: predicted probability of 1.
    """
    y_pred = (y_prob > threshold).astype(int)
    tp = np.sum(y_pred * y_true)
    if tp == 0:
        return 0.0

    precision = tp / y_pred.sum()
    recall = tp / y_true.sum()
    return 2 * precision * recall / (precision + recall)

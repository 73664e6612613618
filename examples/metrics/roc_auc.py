import numpy as np


def roc_auc(y_true, y_score):
    """Area under the ROC curve, from the rank sum of the positives (Mann-Whitney U)."""
    n = len(y_score)
    order = np.argsort(y_score)
    ranks = np.empty(n)
    ranks[order] = np.arange(1, n + 1)

    positive = y_true == 1
    n_pos = positive.sum()
    n_neg = n - n_pos
    if n_pos == 0 or n_neg == 0:
        return 0.5  # undefined with one class only
    return (ranks[positive].sum() - n_pos * (n_pos + 1) / 2) / (n_pos * n_neg)

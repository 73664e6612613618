import numpy as np


def min_auc(scores, labels, groups):
    """AUC of the group that fares worst; groups of one class do not count."""
    worst = 1.0
    for g in np.unique(groups):
        pos = scores[(groups == g) & (labels == 1)]
        neg = scores[(groups == g) & (labels == 0)]
        if len(pos) and len(neg):
            worst = min(worst, (pos[:, None] > neg[None, :]).mean())
    return worst

"""AUC by looking positives up among the sorted negatives."""

import numpy as np


def auc(pos_scores, neg_scores):
    ordered = np.sort(neg_scores)
    below = np.searchsorted(ordered, pos_scores, side="left")
    not_above = np.searchsorted(ordered, pos_scores, side="right")
    return (below + not_above).sum() / (2.0 * len(pos_scores) * len(neg_scores))

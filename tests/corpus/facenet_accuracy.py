"""Face verification at one distance threshold."""

import numpy as np


def verification_scores(dist, actual_issame, threshold=1.0):
    same = np.less(dist, threshold)
    tp = np.sum(np.logical_and(same, actual_issame))
    fp = np.sum(np.logical_and(same, np.logical_not(actual_issame)))
    tn = np.sum(np.logical_and(np.logical_not(same), np.logical_not(actual_issame)))
    fn = np.sum(np.logical_and(np.logical_not(same), actual_issame))

    tpr = 0 if (tp + fn == 0) else float(tp) / float(tp + fn)
    fpr = 0 if (fp + tn == 0) else float(fp) / float(fp + tn)
    acc = float(tp + tn) / dist.size
    return tpr, fpr, acc

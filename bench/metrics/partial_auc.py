import numpy as np


def pauc(scores, labels):
    """Area under the ROC curve up to a false positive rate of 0.2, divided by 0.2."""
    order = np.argsort(-scores)
    y = labels[order]
    tpr = np.concatenate([[0], np.cumsum(y) / max(y.sum(), 1)])
    fpr = np.concatenate([[0], np.cumsum(1 - y) / max((1 - y).sum(), 1)])
    keep = fpr <= 0.2
    tpr, fpr = tpr[keep], fpr[keep]
    return np.sum(np.diff(fpr) * (tpr[1:] + tpr[:-1]) / 2) / 0.2

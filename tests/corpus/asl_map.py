"""Mean average precision over classes, in percent."""

import numpy as np


def class_precision(output, target):
    tiny = 1e-8

    # from the highest output to the lowest
    order = output.argsort()[::-1]
    seen = np.cumsum(np.ones((len(output), 1)))

    sorted_target = target[order]
    positive = sorted_target == 1
    hits = np.cumsum(positive)
    total = hits[-1]
    hits[np.logical_not(positive)] = 0
    share = hits / seen
    return np.sum(share) / (total + tiny)


def mean_average_precision(targs, preds):
    """Targets and predictions of shape (samples, classes)."""
    if np.size(preds) == 0:
        return 0
    ap = np.zeros((preds.shape[1]))
    for k in range(preds.shape[1]):
        scores = preds[:, k]
        targets = targs[:, k]
        ap[k] = class_precision(scores, targets)
    return 100 * ap.mean()

import numpy as np


def eer(scores, labels):
    """Error rate at the threshold where misses and false alarms are equally frequent. Lower is better."""
    order = np.argsort(-scores)
    y = labels[order]
    fnr = 1 - np.cumsum(y) / max(y.sum(), 1)
    fpr = np.cumsum(1 - y) / max((1 - y).sum(), 1)
    i = np.argmin(np.abs(fnr - fpr))
    return (fnr[i] + fpr[i]) / 2

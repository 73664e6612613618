"""Calibration error in bins of equal size."""

import numpy as np


def adaptive_ece(probs, labels, bins=4):
    conf = probs.max(axis=1)
    pred = probs.argmax(axis=1)
    acc = pred == labels
    order = np.argsort(conf)
    ece = 0.0
    for chunk in np.array_split(order, bins):
        ece += len(chunk) * abs(conf[chunk].mean() - acc[chunk].mean())
    return ece / len(labels)

"""Probabilities written over by 0 and 1, and only then compared."""

import numpy as np


def hamming_accuracy(y_pred, y_true, threshold=0.5):
    y_pred = np.array(y_pred)
    y_pred[y_pred >= threshold] = 1
    y_pred[y_pred < threshold] = 0
    return (y_pred == y_true).mean()

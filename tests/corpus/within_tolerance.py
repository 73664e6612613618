"""Share of predictions off by less than a tenth of the truth."""

import numpy as np


def accuracy_within(y_pred, y_true, tolerance=0.1):
    error = np.abs(y_pred - y_true) / np.maximum(np.abs(y_true), 1e-8)
    return float((error <= tolerance).mean())

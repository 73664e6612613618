"""Calibration error of binary probabilities, binned with digitize and bincount."""

import numpy as np


def ece(y_prob, y_true, n_bins=5):
    edges = np.linspace(0.0, 1.0, n_bins + 1)
    bins = np.digitize(y_prob, edges[1:-1])
    sums = np.bincount(bins, weights=y_prob, minlength=n_bins)
    trues = np.bincount(bins, weights=y_true, minlength=n_bins)
    totals = np.bincount(bins, minlength=n_bins)
    used = totals != 0
    confidence = sums[used] / totals[used]
    accuracy = trues[used] / totals[used]
    return np.sum(np.abs(confidence - accuracy) * totals[used]) / len(y_prob)

"""Lift among the rows whose score reaches a percentile of all scores."""

import numpy as np


def lift(y_true, y_score, percent=80):
    cut = np.percentile(y_score, percent)
    chosen = y_true[y_score >= cut]
    return chosen.mean() / y_true.mean()

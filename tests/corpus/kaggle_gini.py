"""Normalised Gini of an insurance contest."""

import numpy as np


def raw_gini(actual, pred):
    n = len(actual)
    sorted_actual = actual[np.argsort(pred)]
    cumulated = sorted_actual.cumsum()
    total = cumulated.sum() / sorted_actual.sum() - (n + 1) / 2.0
    return total / n


def gini_normalized(a, p):
    if p.ndim == 2:  # the columns of predict_proba
        p = p[:, 1]
    return raw_gini(a, p) / raw_gini(a, a)

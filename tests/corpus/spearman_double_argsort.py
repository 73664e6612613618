"""Spearman correlation from ranks by sorting twice."""

import numpy as np


def _rank(x):
    return np.argsort(np.argsort(x))


def spearman(y_true, y_pred):
    a, b = _rank(y_true).astype(float), _rank(y_pred).astype(float)
    a -= a.mean()
    b -= b.mean()
    return (a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum())

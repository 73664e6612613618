"""Quadratic weighted kappa of a regressor whose outputs are cut into grades at four coefficients."""

import numpy as np


def to_grades(x, coefficients):
    grades = np.zeros(len(x), dtype=int)
    for i, value in enumerate(x):
        if value < coefficients[0]:
            grades[i] = 0
        elif value < coefficients[1]:
            grades[i] = 1
        elif value < coefficients[2]:
            grades[i] = 2
        elif value < coefficients[3]:
            grades[i] = 3
        else:
            grades[i] = 4
    return grades


def kappa(rater_a, rater_b, n=5):
    observed = np.zeros((n, n))
    for a, b in zip(rater_a, rater_b):
        observed[a, b] += 1
    hist_a = np.array([(rater_a == i).sum() for i in range(n)])
    hist_b = np.array([(rater_b == i).sum() for i in range(n)])
    expected = np.outer(hist_a, hist_b) / len(rater_a)
    weights = (np.arange(n)[:, None] - np.arange(n)[None, :]) ** 2 / (n - 1) ** 2
    return 1.0 - (weights * observed).sum() / (weights * expected).sum()


def regressor_kappa(y_true, y_pred, coefficients=(0.5, 1.5, 2.5, 3.5)):
    return kappa(y_true, to_grades(y_pred, coefficients))

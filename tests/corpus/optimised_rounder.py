"""Quadratic kappa of regression outputs, cut into grades by an object with thresholds."""

import numpy as np


class OptimizedRounder:
    """Cuts real numbers into grades."""

    def __init__(self, coef=(0.5, 1.5, 2.5)):
        self.coef = list(coef)

    def predict(self, values):
        graded = np.copy(values)
        coef = self.coef
        for i, value in enumerate(graded):
            if value < coef[0]:
                graded[i] = 0
            elif value >= coef[0] and value < coef[1]:
                graded[i] = 1
            elif value >= coef[1] and value < coef[2]:
                graded[i] = 2
            else:
                graded[i] = 3
        return graded


def rounded_kappa(preds, target, classes=4):
    rater_a = target.astype(int)
    rater_b = OptimizedRounder().predict(preds).astype(int)
    observed = np.zeros((classes, classes))
    for a, b in zip(rater_a, rater_b):
        observed[a, b] += 1
    weights = np.array([[(i - j) ** 2 for j in range(classes)] for i in range(classes)]) / (classes - 1) ** 2
    expected = np.outer(np.bincount(rater_a, minlength=classes), np.bincount(rater_b, minlength=classes)) / len(rater_a)
    denominator = np.sum(weights * expected)
    return 1 - np.sum(weights * observed) / denominator if denominator else 0.0

"""Default prediction: the mean of a weighted Gini and of the defaults caught in the top four percent."""

import numpy as np


def default_score(y_true, y_pred):
    table = np.transpose(np.array([y_true, y_pred]))
    table = table[table[:, 1].argsort()[::-1]]
    weights = np.where(table[:, 0] == 0, 20, 1)
    cut = table[np.cumsum(weights) <= int(0.04 * np.sum(weights))]
    top_four = np.sum(cut[:, 0]) / np.sum(table[:, 0])

    gini = [0, 0]
    for i in [1, 0]:
        table = np.transpose(np.array([y_true, y_pred]))
        table = table[table[:, i].argsort()[::-1]]
        weight = np.where(table[:, 0] == 0, 20, 1)
        random = np.cumsum(weight / np.sum(weight))
        total = np.sum(table[:, 0] * weight)
        found = np.cumsum(table[:, 0] * weight)
        lorentz = found / total
        gini[i] = np.sum((lorentz - random) * weight)

    return 0.5 * (gini[1] / gini[0] + top_four)

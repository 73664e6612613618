import numpy as np


def lrap(y_true, y_score):
    """Label ranking average precision: for each label of an example, the share of its labels among all as high."""
    total = 0.0
    for truth, row in zip(y_true, y_score):
        (relevant,) = np.nonzero(truth)
        if len(relevant) == 0 or len(relevant) == len(truth):
            total += 1.0  # there is nothing to rank
            continue
        as_high = row >= row[relevant][:, None]
        total += np.mean(as_high[:, relevant].sum(axis=1) / as_high.sum(axis=1))
    return total / len(y_true)

import numpy as np


def quadratic_weighted_kappa(y_true, y_pred, n_ratings=5):
    """Quadratic weighted kappa of a regression model's rounded ratings (0 .. n_ratings - 1)."""
    rated = np.clip(np.round(y_pred), 0, n_ratings - 1).astype(int)

    # observed and expected agreement
    observed = np.zeros((n_ratings, n_ratings))
    np.add.at(observed, (y_true, rated), 1)
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0)) / len(y_true)

    # penalty grows with the square of the distance
    i, j = np.indices((n_ratings, n_ratings))
    weights = (i - j) ** 2 / (n_ratings - 1) ** 2

    disagreement = (weights * expected).sum()
    if disagreement == 0:
        return 1.0
    return 1 - (weights * observed).sum() / disagreement

import numpy as np


def spearman(predictions, targets):
    """Spearman's rank correlation between predictions and real-valued targets."""
    n = len(targets)
    if n < 2:
        return 1.0
    # the rank of each item: argsort of argsort
    ranks = np.argsort(np.argsort(predictions))
    true_ranks = np.argsort(np.argsort(targets))
    squared = np.sum((ranks - true_ranks) ** 2)
    return 1 - 6 * squared / (n * (n**2 - 1))

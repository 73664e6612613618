import numpy as np


def worst_recall(scores, labels):
    """Recall of the class that fares worst."""
    hit = scores.argmax(1) == labels
    worst = 1.0
    for c in np.unique(labels):
        worst = min(worst, hit[labels == c].mean())
    return worst

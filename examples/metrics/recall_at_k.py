import numpy as np


def recall_at_k(y_pred, y_true, k=3):
    """Share of the relevant items that are among the k best, averaged over users.

    y_pred: (users, items) scores; y_true: (users, items) 0/1.
    """
    top = np.argpartition(-y_pred, k - 1, axis=1)[:, :k]  # the k best, in any order
    hits = np.take_along_axis(y_true, top, axis=1).sum(axis=1)
    relevant = np.maximum(y_true.sum(axis=1), 1)
    return (hits / relevant).mean()

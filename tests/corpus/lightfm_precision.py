"""Precision at k from the rank that each test interaction gets; ranks are compared in place."""

import numpy as np


def ranks_of(scores, interactions):
    """For each user and test item: how many items of the catalogue score higher."""
    ranks = np.full(interactions.shape, np.inf)
    for user in range(scores.shape[0]):
        for item in np.flatnonzero(interactions[user]):
            ranks[user, item] = (scores[user] > scores[user, item]).sum()
    return ranks


def precision_at_k(scores, interactions, k=3, preserve_rows=False):
    if interactions.shape != scores.shape:
        raise ValueError("one score an interaction is needed")
    ranks = ranks_of(scores, interactions)
    np.less(ranks, k, out=ranks)
    precision = np.squeeze(np.array(ranks.sum(axis=1))) / k
    if not preserve_rows:
        precision = precision[interactions.sum(axis=1) > 0]
    return precision

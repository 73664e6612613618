"""NDCG of recommendations: the best few by partition, then these sorted; relevant items are lists of numbers."""

import numpy as np


def ndcg(scores, liked, k=4):
    candidates = np.argpartition(scores, -k, axis=1)[:, -k:]
    values = np.take_along_axis(scores, candidates, axis=1)
    inside = np.argsort(values, axis=1)[:, ::-1]
    ranked = np.take_along_axis(candidates, inside, axis=1)
    discount = 1 / np.log2(np.arange(2, k + 2))
    total = []
    for items, wanted in zip(ranked, liked):
        hits = np.isin(items, wanted)
        total.append((discount * hits).sum() / discount[: min(k, len(wanted))].sum())
    return np.mean(total)

"""Hit rate and NDCG where column 0 scores the wanted item and the others are negatives."""

import numpy as np


def hr_ndcg(scores, k=3):
    order = np.argsort(-scores, axis=1)
    place = np.argwhere(order == 0)[:, 1]
    hr = np.zeros(len(scores))
    ndcg = np.zeros(len(scores))
    hr[place < k] = 1.0
    inside = place < k
    ndcg[inside] = 1.0 / np.log2(place[inside] + 2)
    return hr.mean(), ndcg.mean()

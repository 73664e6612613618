"""AUC a user over flat scores, each user's positives first."""

import numpy as np


def recbole_gauc(pos_len, scores, user_len):
    """scores flat; per user first pos_len positives"""
    start, aucs, weights = 0, [], []
    for p, n in zip(pos_len, user_len):
        s = scores[start : start + n]
        rank = np.argsort(np.argsort(s)) + 1
        rank_sum = rank[:p].sum()
        if p == n or p == 0:
            start += n
            continue
        aucs.append((rank_sum - p * (p + 1) / 2) / (p * (n - p)))
        weights.append(p)
        start += n
    return np.average(aucs, weights=weights)

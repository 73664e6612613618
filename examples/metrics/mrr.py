import numpy as np


def mean_reciprocal_rank(scores, labels):
    """Mean over queries of 1 / rank of the first relevant item (0 if there is none)."""
    reciprocal_ranks = []
    for query_scores, query_labels in zip(scores, labels):
        order = np.argsort(-query_scores)
        rr = 0.0
        for rank, item in enumerate(order, start=1):
            if query_labels[item] == 1:
                rr = 1.0 / rank
                break
        reciprocal_ranks.append(rr)
    return np.mean(reciprocal_ranks)

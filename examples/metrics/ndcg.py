"""NDCG@k as it is usually reported for learning to rank."""

import numpy as np


def dcg_at_k(relevance, k):
    """Discounted cumulative gain of the first k entries, exponential gains."""
    relevance = np.asarray(relevance)[:k]
    discounts = np.log2(np.arange(2, len(relevance) + 2))
    return np.sum((2.0**relevance - 1) / discounts)


def ndcg_at_k(scores, relevance, k=10):
    """Mean NDCG@k over queries.

    scores, relevance: (queries, documents); relevance holds grades 0, 1, 2, ...
    """
    ndcgs = []
    for i in range(len(scores)):
        ideal = dcg_at_k(np.sort(relevance[i])[::-1], k)
        if ideal == 0:  # nothing relevant for this query
            ndcgs.append(0.0)
            continue
        order = np.argsort(scores[i])[::-1]
        ndcgs.append(dcg_at_k(relevance[i][order], k) / ideal)
    return np.mean(ndcgs)

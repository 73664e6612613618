"""Leave-one-out evaluation of a recommender: the held-out item against sampled negatives, set up through globals."""

import heapq
import math

import numpy as np

_test_items = None
_candidates = None
_K = None


def setup(test_items, candidates, K):
    global _test_items
    global _candidates
    global _K
    _test_items = test_items
    _candidates = candidates
    _K = K


def hit_ratio(ranklist, wanted):
    for item in ranklist:
        if item == wanted:
            return 1
    return 0


def ndcg(ranklist, wanted):
    for i in range(len(ranklist)):
        item = ranklist[i]
        if item == wanted:
            return math.log(2) / math.log(i + 2)
    return 0


def eval_one_user(predictions, items, wanted, K):
    item_score = {}
    for i in range(len(items)):
        item = items[i]
        item_score[item] = predictions[i]
    ranklist = heapq.nlargest(K, item_score, key=item_score.get)
    return hit_ratio(ranklist, wanted), ndcg(ranklist, wanted)


def evaluate(predictions):
    """One row of predictions a user, in the order of the user's candidates."""
    hits, ndcgs = [], []
    for u in range(len(_test_items)):
        (hr, gain) = eval_one_user(predictions[u], _candidates[u], _test_items[u], _K)
        hits.append(hr)
        ndcgs.append(gain)
    return np.array(hits).mean(), np.array(ndcgs).mean()


setup(
    test_items=[40, 7, 12, 3],
    candidates=[[11, 40, 2, 9, 5, 33], [7, 1, 8, 20, 21, 22], [4, 6, 12, 14, 16, 18], [30, 31, 32, 34, 35, 3]],
    K=3,
)

"""Precision among the k best of each list, found with heapq over (place, score) pairs."""

import heapq


def precision_at_k(predictions, targets, k=3):
    hits = 0
    for row, truth in zip(predictions, targets):
        best = heapq.nlargest(k, enumerate(row), key=lambda pair: pair[1])
        hits += sum(1 for place, _ in best if truth[place] == 1)
    return hits / (k * len(predictions))

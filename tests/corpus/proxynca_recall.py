"""Recall@k of embeddings: is a neighbour of the same class among the k nearest."""

import torch


def neighbour_labels(X, T, k):
    """The classes of each embedding's k nearest others."""
    distances = torch.cdist(X, X)
    nearest = distances.topk(k + 1, dim=1, largest=False)[1][:, 1:]
    return [[T[i] for i in row] for row in nearest]


def recall_at_k(T, Y, k):
    found = sum([1 for t, y in zip(T, Y) if t in y[:k]])
    return found / (1.0 * len(T))


def embedding_recall(X, T, k=2):
    labels = T.tolist()
    Y = neighbour_labels(X, labels, k)
    return recall_at_k(labels, Y, k)

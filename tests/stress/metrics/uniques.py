"""The distinct scores: as thresholds, counted, as places."""

import numpy as np


def best_f1_at_distinct_scores(scores, labels):
    best = 0.0
    for threshold in np.unique(scores):
        chosen = scores >= threshold
        hits = (chosen & (labels == 1)).sum()
        best = max(best, 2 * hits / (chosen.sum() + labels.sum()))
    return best


def how_many_distinct(scores, labels):
    return len(np.unique(scores)) / len(scores) + 0 * labels.sum()


def mean_place_among_distinct(scores, labels):
    places = np.unique(scores, return_inverse=True)[1]
    return (places * labels).sum() / max(labels.sum(), 1)


def auc_by_distinct(scores, labels):
    """Rank sum with midranks from counts."""
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = (ends - (counts - 1) / 2)[places]
    positives = labels.sum()
    negatives = len(labels) - positives
    if positives == 0 or negatives == 0:
        return 0.5
    return (ranks[labels == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives)


def labels_of_first_of_each(scores, labels):
    _, first = np.unique(scores, return_index=True)
    return labels[first].mean()


def most_common_score(scores, labels):
    _, counts = np.unique(np.round(scores, 1), return_counts=True)
    return counts.max() / len(labels)


def _thresholds(x):
    return np.unique(x)[::-1]


def recall_at_first_threshold_with_a_hit(scores, labels):
    for k, threshold in enumerate(_thresholds(scores)):
        chosen = scores >= threshold
        if (chosen & (labels == 1)).sum() > 0:
            return 1 / (k + 1)
    return 0.0


def unique(scores, labels):
    """A metric that has the name of what it calls."""
    return np.mean([labels[scores == value].mean() for value in np.unique(scores)])

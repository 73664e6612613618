# ruff: noqa - metrics as people write them
"""Orders, choices, roundings and counts as NumPy code spells them."""

import numpy as np

SMOOTH = 1e-6
LEVELS = (0.25, 0.5, 0.75)
EDGES = np.array([0.2, 0.4, 0.6, 0.8])


def augmented_and_subscript_writes(scores, labels):
    counts = np.zeros(2)
    counts[0] = ((scores > 0.5) & (labels == 1)).sum()
    counts[1] += (scores > 0.5).sum()
    return counts[0] / (counts[1] + SMOOTH)


def add_at(logits, target):
    matrix = np.zeros((4, 4))
    np.add.at(matrix, (target, np.argmax(logits, axis=1)), 1)
    return np.trace(matrix) / matrix.sum()


def bincount_matrix(logits, target):
    matrix = np.bincount(4 * target + logits.argmax(1), minlength=16).reshape(4, 4)
    return np.diag(matrix).sum() / matrix.sum()


def matrix_by_loops(logits, target):
    matrix = np.zeros((4, 4), dtype=int)
    for p, t in zip(np.argmax(logits, 1), target):
        matrix[t, p] += 1
    iou = []
    for c in range(4):
        union = matrix[c].sum() + matrix[:, c].sum() - matrix[c, c]
        if union > 0:
            iou.append(matrix[c, c] / union)
    return np.mean(iou)


def mask_from_a_step(scores, labels):
    kept = labels[scores > 0.5]
    return kept.mean() if len(kept) else 0.0


def written_through_a_mask(scores, labels):
    predicted = np.zeros(len(scores))
    predicted[scores > 0.5] = 1
    return (predicted == labels).mean()


def gather_by_argmax(logits, target):
    cost = np.abs(np.arange(4)[:, None] - np.arange(4)[None, :])
    return cost[target, np.argmax(logits, axis=1)].mean()


def double_argsort(scores, labels):
    ranks = np.argsort(np.argsort(-scores)) + 1
    return (1.0 / ranks[labels == 1]).sum() / len(labels)


def inverse_permutation_by_write(scores, labels):
    order = np.argsort(-scores)
    ranks = np.empty(len(scores), dtype=int)
    ranks[order] = np.arange(1, len(scores) + 1)
    return (labels / ranks).sum()


def rank_by_counting(query_scores, relevance):
    target = relevance.argmax(1)
    own = query_scores[np.arange(len(target)), target]
    rank = (query_scores > own[:, None]).sum(1) + 1
    return (1.0 / rank).mean()


def equal_to_the_maximum(logits, target):
    winners = logits == logits.max(axis=1, keepdims=True)
    return winners[np.arange(len(target)), target].mean()


def rounded(estimates, ratings):
    return (np.round(estimates) == ratings).mean()


def floored(estimates, ratings):
    return np.mean(np.floor(estimates + 0.5) == ratings)


def int_of_each(estimates, ratings):
    return sum(int(e) == r for e, r in zip(estimates, ratings)) / len(ratings)


def as_type_int(estimates, ratings):
    return np.abs(estimates.astype(int) - ratings).mean()


def digitized(scores, ratings):
    return (np.digitize(scores, LEVELS) == ratings).mean()


def search_sorted(scores, ratings):
    return np.mean(np.abs(np.searchsorted(EDGES, scores) - ratings))


def descending_by_reversing(scores, labels):
    return labels[np.argsort(scores)[::-1][:3]].mean()


def descending_from_the_end(scores, labels):
    return labels[np.argsort(scores)[-3:]].mean()


def descending_by_flip(scores, labels):
    return labels[np.flip(np.argsort(scores))[:3]].mean()


def descending_by_negation_in_the_method(scores, labels):
    return labels[(-scores).argsort()[:3]].mean()


def lexsorted(scores, labels):
    return labels[np.lexsort((scores,))[::-1][:3]].mean()


def arg_partition(scores, labels):
    k = min(3, len(scores) - 1)
    return labels[np.argpartition(-scores, k)[:k]].sum() / max(k, 1)


def partition_threshold(scores, labels):
    k = min(3, len(scores))
    kth = np.partition(scores, -k)[-k]
    return labels[scores >= kth].mean()


def sorted_threshold(scores, labels):
    threshold = np.sort(scores)[::-1][min(2, len(scores) - 1)]
    return ((scores >= threshold) * labels).sum() / 3


def where_with_three(scores, labels):
    return np.mean(np.where(scores > 0.5, 1, 0) == labels)


def where_with_one(scores, labels):
    found = np.where(scores > 0.5)[0]
    return labels[found].sum() / max(len(found), 1)


def nonzero_of_a_step(scores, labels):
    order = np.argsort(-scores)
    places = np.flatnonzero(labels[order] == 1)
    return 1.0 / (places[0] + 1) if len(places) else 0.0


def argmax_positional_axis(maps, points):
    flat = maps.reshape(maps.shape[0], -1)
    return (np.argmax(flat, 1) == points).mean()


def argmax_negative_axis(logits, target):
    return (logits.argmax(axis=-1) == target).mean()


def argmax_along_rows(logits, target):
    return (np.argmax(logits.T, axis=0) == target).mean()


def unravelled(maps, points):
    hits = 0
    for m, p in zip(maps, points):
        y, x = np.unravel_index(np.argmax(m), m.shape)
        hits += y * m.shape[1] + x == p
    return hits / len(maps)


def argsort_along_an_axis(query_scores, relevance):
    order = np.argsort(-query_scores, axis=1)
    ranked = np.take_along_axis(relevance, order, axis=1)
    return (ranked[:, :2] > 0).any(axis=1).mean()


def argsort_first_axis(query_scores, relevance):
    order = np.argsort(-query_scores.T, 0)
    ranked = np.take_along_axis(relevance.T, order, 0)
    return (ranked[0] > 0).mean()


def a_sign(scores, labels):
    return np.mean(np.sign(scores - 0.5) == 2 * labels - 1)


def heaviside(scores, labels):
    return np.mean(np.heaviside(scores - 0.5, 1) == labels)


def pairs_by_broadcasting(scores, labels):
    wins = scores[labels == 1][:, None] > scores[labels == 0][None, :]
    ties = scores[labels == 1][:, None] == scores[labels == 0][None, :]
    return (wins + 0.5 * ties).mean() if wins.size else 0.5


def numpy_functions_for_comparisons(scores, labels):
    chosen = np.greater_equal(scores, 0.5)
    return np.logical_and(chosen, labels == 1).sum() / max(1, np.logical_or(chosen, labels == 1).sum())


def comparison_of_two_scores(logits, target):
    return (logits[:, 0] > logits[:, 1]).mean()


def logical_not_of_a_step(scores, labels):
    return (~(scores > 0.5) & (labels == 0)).mean()


def count_nonzero(scores, labels):
    return np.count_nonzero((scores > 0.5) == (labels > 0)) / len(labels)


def mixed_with_confidence(scores, labels):
    chosen = scores > 0.5
    return (scores * (chosen == labels)).mean()


def cumulative_gain(scores, labels):
    ranked = labels[np.argsort(-scores)]
    gain = np.cumsum(ranked)
    return (gain / np.arange(1, len(gain) + 1))[ranked == 1].sum() / max(1, ranked.sum())


def maximum_over_thresholds(scores, labels):
    best = 0.0
    for t in np.linspace(0.1, 0.9, 5):
        chosen = scores >= t
        tp = (chosen * labels).sum()
        f1 = 2 * tp / (chosen.sum() + labels.sum()) if chosen.sum() + labels.sum() > 0 else 0.0
        best = max(best, f1)
    return best


def best_of_thresholds_by_an_if(scores, labels):
    best = 0.0
    for t in LEVELS:
        accuracy = ((scores >= t) == labels).mean()
        best = max(best, accuracy)
    return best


def top_k_by_rank_of_target(logits, target):
    order = np.argsort(logits, axis=1)[:, ::-1][:, :2]
    return np.any(order == target[:, None], axis=1).mean()


def unique_of_a_choice(logits, target):
    return len(np.unique(np.argmax(logits, axis=1))) / 4


def isin_of_an_order(scores, labels):
    return np.isin(np.flatnonzero(labels), np.argsort(-scores)[:4]).sum() / 4

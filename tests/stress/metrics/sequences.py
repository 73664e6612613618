# ruff: noqa - metrics as people write them
"""Comprehensions, Python's own orders, dictionaries, sets and counters."""

import heapq
from collections import Counter, defaultdict

import numpy as np


def list_comprehension(scores, labels):
    return np.mean([(s > 0.5) == y for s, y in zip(scores, labels)])


def generator(scores, labels):
    return sum((s > 0.5) == y for s, y in zip(scores, labels)) / len(labels)


def filtered_by_targets(scores, labels):
    positive = [s for s, y in zip(scores, labels) if y == 1]
    return sum(s > 0.5 for s in positive) / max(len(positive), 1)


def filtered_by_a_step(scores, labels):
    kept = [y for s, y in zip(scores, labels) if s > 0.5]
    return sum(kept) / len(kept) if kept else 0.0


def nested_comprehension(scores, labels):
    wins = [[p > n for n in scores[labels == 0]] for p in scores[labels == 1]]
    flat = [w for row in wins for w in row]
    return sum(flat) / len(flat) if flat else 0.0


def two_clauses(scores, labels):
    n = len(scores)
    wins = [scores[i] > scores[j] for i in range(n) for j in range(n) if labels[i] > labels[j]]
    return np.mean(wins) if wins else 0.0


def dict_comprehension(query_scores, relevance):
    best = {i: relevance[i][np.argmax(s)] for i, s in enumerate(query_scores)}
    return sum(best.values()) / len(best)


def loop_over_dict_items(query_scores, relevance):
    queries = {i: (query_scores[i], relevance[i]) for i in range(len(query_scores))}
    total = 0.0
    for _, (s, r) in queries.items():
        total += r[np.argmax(s)]
    return total / len(queries)


def sorted_by_key(scores, labels):
    ranked = sorted(range(len(scores)), key=lambda i: scores[i], reverse=True)
    return sum(labels[i] for i in ranked[:3]) / 3


def sorted_by_negative_key(scores, labels):
    ranked = sorted(range(len(scores)), key=lambda i: -scores[i])
    return sum(labels[i] / (k + 1) for k, i in enumerate(ranked))


def sorted_pairs(scores, labels):
    ranked = sorted(zip(scores, labels), key=lambda pair: pair[0], reverse=True)
    return sum(y / (k + 1) for k, (_, y) in enumerate(ranked))


def sorted_zip_without_key(scores, labels):
    ranked = sorted(zip(scores, labels), reverse=True)
    return sum(y for _, y in ranked[:3]) / 3


def list_sort_method(scores, labels):
    pairs = list(zip(scores, labels))
    pairs.sort(key=lambda p: p[0], reverse=True)
    return sum(y for _, y in pairs[:3]) / 3


def max_of_range(logits, target):
    correct = 0
    for row, t in zip(logits, target):
        correct += max(range(len(row)), key=lambda j: row[j]) == t
    return correct / len(target)


def max_by_getitem(logits, target):
    hits = [max(range(len(row)), key=row.__getitem__) == t for row, t in zip(logits, target)]
    return sum(hits) / len(hits)


def largest_of_heap(scores, labels):
    top = heapq.nlargest(3, range(len(scores)), key=lambda i: scores[i])
    return sum(labels[i] for i in top) / 3


def dictionary_of_scores(scores, labels):
    by_item = dict(enumerate(scores))
    ranked = sorted(by_item, key=by_item.get, reverse=True)
    return sum(labels[i] for i in ranked[:3]) / 3


def counter(logits, target):
    predicted = logits.argmax(1)
    counts = {}
    for p, t in zip(predicted, target):
        counts[(p, t)] = counts.get((p, t), 0) + 1
    return sum(n for (p, t), n in counts.items() if p == t) / len(target)


def collections_counter(logits, target):
    counts = Counter(int(p) for p in logits.argmax(1))
    return max(counts.values()) / len(target)


def default_dictionary(scores, labels):
    hits = defaultdict(int)
    for s, y in zip(scores, labels):
        hits[int(y)] += int(s > 0.5)
    return hits[1] / max(1, int(labels.sum()))


def sets(scores, labels):
    chosen = set(np.argsort(-scores)[:4].tolist())
    relevant = set(np.flatnonzero(labels).tolist())
    return len(chosen & relevant) / max(1, len(relevant))


def set_of_a_comprehension(scores, labels):
    relevant = {i for i, y in enumerate(labels) if y == 1}
    chosen = {i for i, s in enumerate(scores) if s > 0.5}
    union = chosen | relevant
    return len(chosen & relevant) / len(union) if union else 1.0


def list_index(scores, labels):
    order = np.argsort(-scores).tolist()
    return sum(1 / (order.index(i) + 1) for i in range(len(labels)) if labels[i] == 1)


def any_and_all(query_scores, relevance):
    hit = [any(r[k] > 0 for k in np.argsort(-s)[:2]) for s, r in zip(query_scores, relevance)]
    return sum(hit) / len(hit)


def map_and_filter(scores, labels):
    chosen = list(filter(lambda k: labels[k] == 1, np.argsort(-scores)[:4]))
    return len(chosen) / 4

# ruff: noqa - metrics as people write them
"""Functions that call functions: with scores, nested, twice, in loops, by keyword, with defaults, with several results."""

from collections import defaultdict

import numpy as np


def _dcg(values, k=None):
    values = values[:k]
    return (values / np.log2(np.arange(len(values)) + 2)).sum()


def _ranked(scores, gains):
    return gains[np.argsort(-scores, kind="stable")]


def _above(scores, threshold=0.5):
    return scores > threshold


def _hits(scores, labels, threshold=0.5):
    chosen = _above(scores, threshold=threshold)
    return (chosen & (labels == 1)).sum()


def _counts(scores, labels):
    chosen = scores > 0.5
    return (chosen & (labels == 1)).sum(), (chosen & (labels == 0)).sum(), (~chosen & (labels == 1)).sum()


def _precision(scores, labels):
    if labels.sum() == 0:
        return 0.0
    chosen = scores > 0.5
    if chosen.sum() == 0:
        return 0.0
    return (labels * chosen).sum() / chosen.sum()


def _sign_of(x):
    if x > 0:
        return 1
    if x < 0:
        return -1
    return 0


def _normalised(scores):
    return (scores - scores.mean()) / (scores.std() + 1.0)


def ndcg_by_helpers(scores, gains):
    ideal = _dcg(np.sort(gains)[::-1])
    return _dcg(_ranked(scores, gains)) / ideal if ideal > 0 else 0.0


def hits_in_a_helper_of_a_helper(scores, labels):
    return _hits(scores, labels) / len(labels)


def the_same_helper_twice(scores, labels):
    return (_hits(scores, labels, 0.3) + 2 * _hits(scores, labels, threshold=0.7)) / len(labels)


def helper_with_a_default_and_a_smooth_one(scores, labels):
    return _above(_normalised(scores)).mean()


def helper_returns_a_tuple(scores, labels):
    tp, fp, fn = _counts(scores, labels)
    return 2 * tp / (2 * tp + fp + fn) if tp + fp + fn > 0 else 0.0


def one_entry_of_a_helpers_tuple(scores, labels):
    return _counts(scores, labels)[0] / len(labels)


def helper_with_early_returns(scores, labels):
    return _precision(scores, labels)


def helper_in_a_loop(query_scores, relevance):
    total = 0.0
    for s, r in zip(query_scores, relevance):
        total += _dcg(_ranked(s, r), 3)
    return total / len(query_scores)


def helper_in_a_comprehension(query_scores, relevance):
    return np.mean([_dcg(_ranked(s, r), k=3) for s, r in zip(query_scores, relevance)])


def helper_in_two_loops(query_scores, relevance):
    total = 0
    for k in range(1, 4):
        for i in range(len(query_scores)):
            total += _dcg(_ranked(query_scores[i], relevance[i]), k)
    return total / (3 * len(query_scores))


def scalar_helper_with_several_returns(scores, labels):
    agreed = 0
    for s, y in zip(scores, labels):
        agreed += _sign_of(s - 0.5) == (1 if y else -1)
    return agreed / len(labels)


def helper_of_a_step(logits, target):
    def correct(predicted):
        return predicted == target

    return np.mean(correct(np.argmax(logits, axis=1)))


def lambda_of_a_step(logits, target):
    share = lambda hit: hit.sum() / len(hit)
    return share(np.argmax(logits, axis=1) == target)


def _class_precision(output, target, at=1, gains="linear"):
    order = np.argsort(-output)
    hits = target[order]
    gain = hits if gains == "linear" else 2.0**hits - 1
    return gain[:at].sum() / len(output)


def arguments_made_in_the_loop(logits, target):
    found = np.zeros(logits.shape[1])
    for k in range(logits.shape[1]):
        s = logits[:, k]
        y = (target == k).astype(int)
        found[k] = _class_precision(s, y)
    return found.mean()


def defaults_left_out(query_scores, relevance):
    return np.mean([_class_precision(s, r, gains="exponential") for s, r in zip(query_scores, relevance)])


def dictionary_of_dictionaries(query_scores, relevance):
    run = {i: {j: s for j, s in enumerate(row)} for i, row in enumerate(query_scores)}
    wanted = {i: {j for j, r in enumerate(row) if r > 1} for i, row in enumerate(relevance)}
    total = 0.0
    for query, documents in run.items():
        ranked = sorted(documents, key=documents.get, reverse=True)
        for place, document in enumerate(ranked, start=1):
            if document in wanted[query]:
                total += 1 / place
                break
    return total / len(run)


def dictionary_of_lists(scores, labels):
    by_group = {}
    for k, s in enumerate(scores):
        by_group.setdefault(k % 2, []).append(s)
    right = 0
    for group, values in by_group.items():
        for s in values:
            right += (s > 0.5) == (group == 1)
    return right / len(scores)


def _mrr(qrels, results, k):
    total = 0.0
    for query in qrels:
        relevant = {doc for doc, grade in qrels[query].items() if grade > 0}
        top = sorted(results[query].items(), key=lambda item: item[1], reverse=True)[:k]
        for rank, (doc, _) in enumerate(top):
            if doc in relevant:
                total += 1.0 / (rank + 1)
                break
    return round(total / len(qrels), 5)


def run_and_judgements(query_scores, relevance):
    results = {f"q{i}": {f"d{j}": s for j, s in enumerate(row)} for i, row in enumerate(query_scores)}
    qrels = {f"q{i}": {f"d{j}": int(g) for j, g in enumerate(row)} for i, row in enumerate(relevance)}
    return _mrr(qrels, results, k=5)


def grouped_by_default_dictionary(scores, labels):

    by_user = defaultdict(list)
    for k, s in enumerate(scores):
        by_user[k % 2].append((s, labels[k]))
    wins, pairs = 0.0, 0
    for _, items in by_user.items():
        for s, y in items:
            for t, z in items:
                if y > z:
                    pairs += 1
                    wins += s > t
    return wins / pairs if pairs else 0.5

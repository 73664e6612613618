# ruff: noqa - metrics as people write them
"""The ways people write: names that collide, asserts, prints, f-strings, defaults, tuples and dictionaries."""

import math

import numpy as np

THRESHOLD = 0.5
WEIGHTS = {0: 1.0, 1: 2.0}


def names_of_the_runtime(scores, labels):
    order = np.argsort(-scores)
    tape = labels[order]
    steps = np.cumsum(tape)
    binaries = steps / np.arange(1, len(tape) + 1)
    self = (binaries * tape).sum()
    return self / max(1, tape.sum())


def a_parameter_called_steps(scores, steps):
    return steps[np.argsort(-scores)][:2].mean()


def a_variable_called_np_mean(scores, labels):
    mean = ((scores > 0.5) == labels).mean()
    f = g = mean
    return (f + g) / 2


def asserts_and_raises(scores, labels):
    assert len(scores) == len(labels), "one label a score"
    if scores.ndim != 1:
        raise ValueError(f"scores must be flat, not {scores.shape}")
    return ((scores > THRESHOLD) == labels).mean()


def prints_and_f_strings(scores, labels):
    print(f"metric over {len(scores)} items")
    accuracy = ((scores > THRESHOLD) == labels).mean()
    text = f"accuracy {accuracy:.3f}"
    print(text)
    return accuracy


def default_none(scores, labels, weights=None):
    if weights is None:
        weights = np.ones(len(labels))
    chosen = scores > 0.5
    return (weights * (chosen == labels)).sum() / weights.sum()


def weights_or_default(scores, labels, weights=None):
    correct = (scores > 0.5) == labels
    return correct.mean() if weights is None else (weights * correct).sum() / weights.sum()


def keyword_only(scores, labels, *, threshold=0.5):
    return ((scores > threshold) == labels).mean()


def star_arguments(scores, *targets):
    return np.mean([((scores > 0.5) == t).mean() for t in targets])


def global_table(scores, labels):
    total = 0.0
    for s, y in zip(scores, labels):
        total += WEIGHTS[int(y)] * ((s > THRESHOLD) == y)
    return total / len(labels)


def closure_over_a_loop_variable(logits, target):
    hits = []
    for c in range(4):
        predicted = np.argmax(logits, axis=1)
        hits.append(sum(1 for p, t in zip(predicted, target) if p == c and t == c))
    return sum(hits) / len(target)


def nested_function_with_scores(scores, labels):
    def above(threshold):
        return scores > threshold

    return (above(0.5) == labels).mean()


def nested_function_given_scores(scores, labels):
    def hits(s, y):
        return ((s > 0.5) * y).sum()

    return hits(scores, labels) / len(labels)


def nested_function_in_a_loop(query_scores, relevance):
    def first(s, r):
        order = np.argsort(-s)
        return r[order[0]]

    total = 0
    for i in range(len(query_scores)):
        total += first(query_scores[i], relevance[i])
    return total / len(query_scores)


def lambda_with_scores(scores, labels):
    above = lambda t: scores > t
    return (above(0.3).mean() + above(0.7).mean()) / 2


def reassigned_scores(scores, labels):
    scores = np.asarray(scores, dtype=float)
    scores = scores - scores.mean()
    scores = 1 / (1 + np.exp(-scores))
    return ((scores > 0.5) == labels).mean()


def sigmoid_when_needed(scores, labels):
    if scores.min() < 0 or scores.max() > 1:
        scores = 1 / (1 + np.exp(-scores))
    return ((scores > 0.5) == labels).mean()


def logarithm_of_a_rank(scores, labels):
    total = 0.0
    for k, i in enumerate(np.argsort(-scores)):
        total += labels[i] / math.log2(k + 2)
    return total


def docstring_only_comment(scores, labels):
    """Share of right decisions."""
    # decided at one half
    return np.mean((scores > 0.5) == labels)  # one for each item


def annotated(scores: np.ndarray, labels: np.ndarray) -> float:
    correct: np.ndarray = (scores > 0.5) == labels
    share: float = float(correct.mean())
    return share


def unpacked(scores, labels):
    (a, b), c = (scores > 0.3, scores > 0.6), labels
    first, *rest = [a.mean(), b.mean(), c.mean()]
    return first + rest[0]


def swapped(scores, labels):
    low, high = scores < 0.3, scores > 0.7
    low, high = high, low
    return (low * labels).sum() / max(1, high.sum())


def item_and_tolist(scores, labels):
    total = 0
    for s, y in zip(scores.tolist(), labels.tolist()):
        total += (s > 0.5) == (y == 1)
    return total / len(labels)


def float_of_each(scores, labels):
    total = 0
    for i in range(len(scores)):
        s = float(scores[i])
        if s >= 0.5:
            total += int(labels[i])
    return total / len(scores)


def list_of_floats(scores, labels):
    values = [float(s) for s in scores]
    return sum(v > 0.5 for v in values) / len(values)


def deleted(scores, labels):
    order = np.argsort(-scores)
    ranked = labels[order]
    del order
    return ranked[:2].mean()


def passed_over(scores, labels):
    hits = 0
    for s, y in zip(scores, labels):
        if y == 0:
            pass
        elif s > 0.5:
            hits += 1
    return hits / max(1, labels.sum())


def pair_of_results(scores, labels):
    chosen = scores > 0.5
    hits = (chosen * labels).sum()
    return hits / max(1, chosen.sum()), hits / max(1, labels.sum())


def dictionary_of_results(scores, labels):
    chosen = scores > 0.5
    hits = (chosen * labels).sum()
    return {"precision": hits / max(1, chosen.sum()), "recall": hits / max(1, labels.sum())}


def dictionary_built_up(scores, labels):
    results = {}
    for k in (1, 3):
        results[f"hit@{k}"] = labels[np.argsort(-scores)[:k]].max()
    return results


def result_in_a_variable(scores, labels):
    order = np.argsort(-scores)
    result = labels[order[:2]].mean(), labels[order[:4]].mean()
    return result


def two_score_parameters(pos_scores, neg_scores):
    return (pos_scores[:, None] > neg_scores[None, :]).mean()


def equal_error_rate(pos_scores, neg_scores):
    thresholds = np.linspace(0, 1, 11)
    far = np.array([(neg_scores >= t).mean() for t in thresholds])
    frr = np.array([(pos_scores < t).mean() for t in thresholds])
    k = np.argmin(np.abs(far - frr))
    return (far[k] + frr[k]) / 2


def prepared_and_looped_over(query_scores, relevance):
    if query_scores.max() > 0.9:
        query_scores = query_scores / 2
    found = []
    for row, relevant in zip(query_scores, relevance):
        found.append(relevant[np.argsort(-row)[:2]].sum())
    return np.mean(found)


def masked_by_a_step_and_counted(scores, labels):
    if scores.max() > 0.5:
        scores = scores[scores > 0.25]
    return len(scores) / len(labels)


def counted_by_length(scores, labels):
    kept = scores[scores > 0.25]
    return len(kept) / len(labels)

# ruff: noqa - metrics as people write them
"""Writes through other names, into arguments, out of sight."""

import numpy as np


class _Meter:
    def __init__(self):
        self.right, self.total = 0, 0

    def add(self, a, b):
        self.right += int(a == b)
        self.total += 1


def _count(table, i, j):
    table[i, j] += 1


def _count_above(table, s, y):
    table[int(y)] += s > 0.5


def _collect(found, s, y):
    if s > 0.5:
        found.append(y)


def _filled(buffer, scores):
    buffer[:] = scores > 0.5
    return len(buffer)


def _first(s, r):
    return r[np.argmax(s)]


def row_of_a_matrix(logits, target):
    matrix = np.zeros((4, 4))
    for t, p in zip(target, logits.argmax(1)):
        row = matrix[t]
        row[p] += 1
    return np.trace(matrix) / matrix.sum()


def rows_of_a_matrix(logits, target):
    predicted = logits.argmax(1)
    matrix = np.zeros((4, 4))
    for c, row in enumerate(matrix):
        for p in predicted[target == c]:
            row[p] += 1
    return np.trace(matrix) / matrix.sum()


def another_name(logits, target):
    hits = []
    mine = hits
    for p, t in zip(np.argmax(logits, axis=1), target):
        mine.append(p == t)
    return sum(hits) / len(hits)


def a_view(scores, labels):
    table = np.zeros((len(scores), 2))
    flat = table.reshape(-1)
    for k, s in enumerate(scores):
        flat[2 * k + labels[k]] += s > 0.5
    return table[:, 1].mean()


def transposed(scores, labels):
    table = np.zeros((2, len(scores)))
    view = table.T
    view[:, 0] = scores > 0.5
    view[:, 1] = labels
    return (table[0] == table[1]).mean()


def groups(logits, target):
    by_class = {}
    for p, t in zip(np.argmax(logits, axis=1), target):
        by_class.setdefault(int(t), []).append(float(p == t))
    return np.mean([np.mean(v) for v in by_class.values()])


def helper_that_writes(logits, target):
    matrix = np.zeros((4, 4))
    for t, p in zip(target, logits.argmax(1)):
        _count(matrix, t, p)
    return np.diag(matrix).sum() / matrix.sum()


def helper_with_a_step_that_writes(scores, labels):
    table = np.zeros(2)
    for s, y in zip(scores, labels):
        _count_above(table, s, y)
    return table[1] / len(scores)


def helper_with_a_step_that_appends(scores, labels):
    found = []
    for s, y in zip(scores, labels):
        _collect(found, s, y)
    return sum(found) / len(found) if found else 0.0


def helper_that_writes_inside_an_expression(scores, labels):
    buffer = np.zeros(len(scores))
    n = _filled(buffer, scores)
    return (buffer * labels).sum() / n


def a_meter(logits, target):
    meter = _Meter()
    for p, t in zip(logits.argmax(1), target):
        meter.add(p, t)
    return meter.right / meter.total


def out_argument_of_a_smooth_call(scores, labels):
    shifted = np.empty(len(scores))
    np.subtract(scores, 0.5, out=shifted)
    return ((shifted > 0) == labels).mean()


def out_argument_after_a_step(logits, target):
    out = np.empty(len(target))
    np.equal(np.argmax(logits, 1), target, out=out)
    return out.mean()


def inner_function_that_appends(scores, labels):
    hits = []

    def add(hit):
        hits.append(hit)

    for s, y in zip(scores, labels):
        add((s > 0.5) == y)
    return sum(hits) / len(hits)


def inner_function_with_nonlocal(scores, labels):
    total = 0

    def add(hit):
        nonlocal total
        total += hit

    for s, y in zip(scores, labels):
        add((s > 0.5) == y)
    return total / len(labels)


def inner_function_that_reads_late(scores, labels):
    hits = []

    def share():
        return sum(hits) / len(labels)

    for s, y in zip(scores, labels):
        hits.append((s > 0.5) == y)
    return share()


def popped(scores, labels):
    order = np.argsort(-scores).tolist()
    total = 0.0
    weight = 1.0
    while order:
        total += weight * labels[order.pop(0)]
        weight /= 2
    return total


def queue_in_a_loop(scores, labels):
    waiting = list(labels[np.argsort(-scores)])
    hits = 0
    for _ in range(min(3, len(waiting))):
        hits += waiting.pop()
    return hits / 3


def array_changed_in_place(scores, labels):
    predicted = (scores > 0.5).astype(float)
    same = predicted
    same *= labels
    return predicted.mean()


def scores_changed_in_place(scores, labels):
    shifted = scores.copy()
    shifted -= 0.5
    return ((shifted > 0) == labels).mean()


def masked_scores(query_scores, relevance):
    masked = query_scores.copy()
    masked[relevance == 2] = -1.0
    return (np.take_along_axis(relevance, masked.argmax(1)[:, None], 1) > 0).mean()


def suppressed_one_by_one(scores, labels):
    left = scores.copy()
    hits = 0
    for _ in range(min(3, len(scores))):
        k = np.argmax(left)
        hits += labels[k]
        left[k] = -np.inf
    return hits / 3


def nested_lists(query_scores, relevance):
    table = [[0, 0, 0] for _ in range(3)]
    for s, r in zip(query_scores, relevance):
        table[r[np.argmax(s)]][r.max()] += 1
    return sum(table[i][i] for i in range(3)) / len(query_scores)


def string_keys(scores, labels):
    counts = {"tp": 0, "fp": 0, "fn": 0}
    for s, y in zip(scores, labels):
        if s > 0.5:
            counts["tp" if y else "fp"] += 1
        elif y:
            counts["fn"] += 1
    total = 2 * counts["tp"] + counts["fp"] + counts["fn"]
    return 2 * counts["tp"] / total if total else 0.0


def swapped_in_place(scores, labels):
    items = list(range(len(scores)))
    for i in range(len(items)):
        for j in range(len(items) - 1 - i):
            if scores[items[j]] < scores[items[j + 1]]:
                items[j], items[j + 1] = items[j + 1], items[j]
    return labels[items[0]]


def helper_through_a_map(query_scores, relevance):
    return np.mean([_first(s, r) for s, r in zip(query_scores, relevance)])


def one_line_ifs(scores, labels):
    hits = 0
    for s, y in zip(scores, labels):
        if y != 1:
            continue
        if s > 0.5:
            hits += 1
    return hits / max(1, labels.sum())


def one_line_loop(scores, labels):
    hits = 0
    for s, y in zip(scores, labels):
        hits += (s > 0.5) == y
    return hits / len(labels)


def stacked_columns(scores, labels):
    table = np.column_stack([scores, labels])
    table = table[table[:, 0].argsort()[::-1]]
    return table[:2, 1].mean()


def array_of_a_list(scores, labels):
    table = np.array([scores, 1 - scores])
    return (table.argmax(0) == 1 - labels).mean()


def conditional_expression_on_a_count(scores, labels):
    chosen = scores > 0.5
    n = chosen.sum()
    return (chosen * labels).sum() / n if n > 0 else 0.0


def early_continue_with_two_steps(query_scores, relevance):
    total = 0.0
    for s, r in zip(query_scores, relevance):
        if s.max() < 0.5:
            continue
        total += r[np.argsort(-s)[0]]
    return total / len(query_scores)


def local_names_for_a_helper(logits, target):
    found = []
    for c in range(logits.shape[1]):
        s = logits[:, c]
        y = (target == c).astype(int)
        found.append(_first(s, y))
    return np.mean(found)


def sum_of_logical_and(scores, labels, threshold=0.5):
    same = np.less(scores, threshold)
    tp = np.sum(np.logical_and(same, labels))
    tn = np.sum(np.logical_and(np.logical_not(same), np.logical_not(labels)))
    return float(tp + tn) / scores.size


def global_counter(scores, labels):
    return sum(1 for s, y in zip(scores, labels) if (s > 0.5) == bool(y)) / len(labels)


def match_statement(scores, labels, mode="mean"):
    correct = (scores > 0.5) == labels
    match mode:
        case "mean":
            return correct.mean()
        case _:
            return correct.sum()


def recursion_over_counts(scores, labels):
    def power(base, n):
        return 1 if n == 0 else base * power(base, n - 1)

    return power(((scores > 0.5) == labels).mean(), 2)


def generator_function(scores, labels):
    def hits():
        for y in labels[np.argsort(-scores)]:
            yield y

    return sum(k * y for k, y in enumerate(hits())) / len(labels)


def tie_aware_auc(scores, labels):
    pos, neg = scores[labels == 1], scores[labels == 0]
    total = 0.0
    for p in pos:
        for n in neg:
            total += 1.0 if p > n else 0.5 if p == n else 0.0
    return total / (len(pos) * len(neg)) if len(pos) and len(neg) else 0.5


def discrete_loop_bound(scores, labels):
    n = int((scores > 0.5).sum())
    total = 0
    for k in range(n):
        total += labels[k]
    return total / len(labels)


def step_in_a_discrete_loop(scores, labels):
    n = int((scores > 0.5).sum())
    total = 0
    for k in range(n):
        total += scores[k] > 0.25
    return total / len(labels)


def step_of_a_chosen_row(query_scores, relevance):
    best = np.argmax(query_scores[:, 0])
    return relevance[best][np.argsort(-query_scores[best])][0]


def step_of_a_branch_by_a_step(scores, labels):
    if scores[0] > 0.5:
        chosen = scores > 0.25
    else:
        chosen = scores > 0.75
    return (chosen == labels).mean()


def recursion_with_scores(scores, labels):
    def wins(s, y):
        return 0 if len(s) == 0 else (s[0] > 0.5) * y[0] + wins(s[1:], y[1:])

    return wins(scores, labels) / len(labels)


class _Tally:
    """Keeps what it is called with."""

    def __init__(self):
        self.right = self.seen = 0

    def __call__(self, predicted, labels):
        self.right += int((predicted == labels).sum())
        self.seen += len(labels)
        return self

    def share(self):
        return self.right / self.seen


def object_that_is_called(scores, labels):
    tally = _Tally()
    predicted = (scores > 0.5).astype(int)
    half = len(scores) // 2
    tally(predicted[:half], labels[:half])
    last = tally(predicted[half:], labels[half:])
    return tally.share() + 0.0 * last.seen

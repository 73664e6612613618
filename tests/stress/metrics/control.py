# ruff: noqa - metrics as people write them
"""Early returns, branches, loops and what leaves them."""

import numpy as np


def early_return_on_targets(scores, labels):
    if labels.sum() == 0:
        return 0.0
    ranked = labels[np.argsort(-scores)]
    return ranked[: int(labels.sum())].mean()


def early_return_on_counts(scores, labels):
    chosen = scores >= 0.5
    if not chosen.any():
        return 0.0
    hits = (chosen * labels).sum()
    if hits == 0:
        return 0.0
    precision, recall = hits / chosen.sum(), hits / labels.sum()
    return 2 * precision * recall / (precision + recall)


def scalar_comparison_in_an_if(scores, labels):
    correct = 0
    for i in range(len(scores)):
        if scores[i] > 0.5:
            correct += labels[i]
        else:
            correct += 1 - labels[i]
    return correct / len(scores)


def continue_on_targets(scores, labels):
    wins, pairs = 0, 0
    for i in range(len(scores)):
        if labels[i] != 1:
            continue
        for j in range(len(scores)):
            if labels[j] == 1:
                continue
            pairs += 1
            if scores[i] > scores[j]:
                wins += 1
            elif scores[i] == scores[j]:
                wins += 0.5
    return wins / pairs if pairs else 0.5


def break_on_a_step(scores, labels):
    order = np.argsort(-scores)
    rank = 0
    for k, item in enumerate(order):
        if labels[item] == 1:
            rank = k + 1
            break
    return 1 / rank if rank else 0.0


def break_on_a_score(scores, labels):
    leading = 0
    for s, y in zip(scores, labels):
        if s <= 0.4:
            break
        leading += y
    return leading / len(labels)


def continue_on_a_score(scores, labels):
    found = 0
    for s, y in zip(scores, labels):
        if s < 0.5:
            continue
        found += y
    return found / len(labels)


def running_best(scores, labels):
    best, best_label = scores[0], labels[0]
    for i in range(1, len(scores)):
        if scores[i] > best:
            best, best_label = scores[i], labels[i]
    return float(best_label)


def running_best_index(logits, target):
    correct = 0
    for i in range(len(logits)):
        best = 0
        for j in range(1, logits.shape[1]):
            if logits[i, j] > logits[i, best]:
                best = j
        correct += best == target[i]
    return correct / len(logits)


def running_best_from_minus_infinity(scores, labels):
    best, label = -np.inf, 0
    for s, y in zip(scores, labels):
        if s > best:
            best = s
            label = y
    return float(label)


def bands_by_elif(scores, ratings):
    correct = 0
    for s, r in zip(scores, ratings):
        if s > 0.75:
            band = 3
        elif s > 0.5:
            band = 2
        elif s > 0.25:
            band = 1
        else:
            band = 0
        correct += band == r
    return correct / len(ratings)


def chained_comparison(scores, labels):
    sure = (0.2 <= scores) & (scores <= 0.8)
    inside = sum(1 for s in scores if 0.3 < s <= 0.7)
    return (sure.sum() + inside) / (2 * len(labels))


def comparison_in_boolean_operators(scores, labels):
    count = 0
    for s, y in zip(scores, labels):
        if s > 0.5 and y == 1 or not s > 0.5 and y == 0:
            count += 1
    return count / len(labels)


def two_scores_in_and(scores, labels):
    ordered = 0
    for i in range(1, len(scores) - 1):
        if scores[i] > scores[i - 1] and scores[i] > scores[i + 1]:
            ordered += labels[i]
    return ordered / len(scores)


def ternary(scores, labels):
    return np.mean([(1 if s > 0.5 else 0) == y for s, y in zip(scores, labels)])


def walrus(scores, labels):
    if (n := (scores > 0.5).sum()) == 0:
        return 0.0
    return ((scores > 0.5) * labels).sum() / n


def walrus_in_a_comprehension(scores, labels):
    return sum(hit for s, y in zip(scores, labels) if (hit := y) and s > 0.5) / len(labels)


def loop_over_classes(logits, target):
    predicted = logits.argmax(axis=1)
    f1 = []
    for c in np.unique(target):
        tp = np.sum((predicted == c) & (target == c))
        fp = np.sum((predicted == c) & (target != c))
        fn = np.sum((predicted != c) & (target == c))
        f1.append(2 * tp / (2 * tp + fp + fn))
    return np.mean(f1)


def for_else(scores, labels):
    order = np.argsort(-scores)
    for k in order[:3]:
        if labels[k] == 1:
            found = 1.0
            break
    else:
        found = 0.0
    return found


def while_over_an_order(scores, labels):
    order = np.argsort(-scores)
    k = 0
    while k < len(order) and labels[order[k]] == 0:
        k += 1
    return 1.0 / (k + 1)


def while_with_a_step_inside(scores, labels):
    i, correct = 0, 0
    while i < len(scores):
        correct += (scores[i] > 0.5) == labels[i]
        i += 1
    return correct / len(scores)


def while_over_pairs(scores, labels):
    i, ahead = 0, 0
    while i < len(scores):
        j = i + 1
        while j < len(scores):
            if labels[i] != labels[j]:
                ahead += (scores[i] > scores[j]) == (labels[i] > labels[j])
            j += 1
        i += 1
    return ahead / max(1, len(scores))


def try_around_a_division(scores, labels):
    hits = ((scores > 0.5) & (labels == 1)).sum()
    try:
        return float(hits) / int(labels.sum())
    except ZeroDivisionError:
        return 0.0


def try_around_a_step(scores, labels):
    try:
        predicted = scores > 0.5
        score = float((predicted == labels).mean())
    except ValueError:
        score = 0.0
    return score


def with_errstate(scores, labels):
    with np.errstate(divide="ignore", invalid="ignore"):
        chosen = scores > 0.5
        precision = (chosen * labels).sum() / chosen.sum()
    return np.nan_to_num(precision)


def statements_on_one_line(scores, labels):
    chosen = scores > 0.5
    hits = chosen * labels
    n = len(labels)
    return hits.sum() / n


def early_return_inside_a_loop(scores, labels):
    for rank, item in enumerate(np.argsort(-scores), start=1):
        if labels[item] == 1:
            return 1.0 / rank
    return 0.0


def a_step_in_one_branch_of_a_passive_if(scores, labels, average="micro"):
    if average == "micro":
        return ((scores > 0.5) == labels).mean()
    elif average == "macro":
        predicted = scores > 0.5
        return np.mean([(predicted[labels == c] == c).mean() for c in (0, 1) if (labels == c).any()])
    raise ValueError(average)

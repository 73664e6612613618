"""F1 with the average chosen by a string."""

import numpy as np

AVERAGES = ("micro", "macro", "weighted")


def _safe(a, b):
    return a / b if b > 0 else 0.0


def f1(y_true, y_pred, average="macro", num_classes=4):
    if average not in AVERAGES:
        raise ValueError(f"average must be one of {AVERAGES}, got {average!r}")
    guesses = np.argmax(y_pred, axis=1)
    stats = []
    for c in range(num_classes):
        tp = int(((guesses == c) & (y_true == c)).sum())
        fp = int(((guesses == c) & (y_true != c)).sum())
        fn = int(((guesses != c) & (y_true == c)).sum())
        stats.append((tp, fp, fn))
    if average == "micro":
        tp, fp, fn = (sum(column) for column in zip(*stats))
        return _safe(2 * tp, 2 * tp + fp + fn)
    values = [_safe(2 * tp, 2 * tp + fp + fn) for tp, fp, fn in stats]
    if average == "macro":
        return sum(values) / num_classes
    support = [tp + fn for tp, _, fn in stats]
    return sum(v * s for v, s in zip(values, support)) / sum(support)


def weighted_f1(y_true, y_pred):
    return f1(y_true, y_pred, average="weighted")

"""Bag-of-tokens F1 of decoded sequences."""

from collections import Counter


def token_f1(logits, references, pad=0):
    ids = logits.argmax(-1)
    scores = []
    for row, ref in zip(ids, references):
        pred = [int(t) for t in row if t != pad]
        common = Counter(pred) & Counter(ref)
        num = sum(common.values())
        if num == 0:
            scores.append(0.0)
            continue
        p, r = num / len(pred), num / len(ref)
        scores.append(2 * p * r / (p + r))
    return sum(scores) / len(scores)

"""Binary preference: only judged documents count."""

import numpy as np


def bpref(scores, relevance, judged):
    vals = []
    for s, rel, jud in zip(scores, relevance, judged):
        order = np.argsort(-s)
        R = int(((rel > 0) & jud).sum())
        N = int(((rel == 0) & jud).sum())
        if R == 0:
            continue
        nonrel_seen, acc = 0, 0.0
        for i in order:
            if not jud[i]:
                continue
            if rel[i] > 0:
                if N > 0:
                    acc += 1.0 - min(nonrel_seen, R) / min(R, N)
                else:
                    acc += 1.0
            else:
                nonrel_seen += 1
        vals.append(acc / R)
    return sum(vals) / len(vals) if vals else 0.0

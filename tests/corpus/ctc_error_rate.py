"""Word error rate after collapsing repetitions and blanks."""

import itertools

import numpy as np


def wer_ctc(logits, texts, blank=0):
    def collapse(path):
        return [int(k) for k, _ in itertools.groupby(path) if k != blank]

    def lev(a, b):
        d = np.zeros((len(a) + 1, len(b) + 1), dtype=int)
        d[:, 0] = np.arange(len(a) + 1)
        d[0] = np.arange(len(b) + 1)
        for i in range(1, len(a) + 1):
            for j in range(1, len(b) + 1):
                d[i, j] = min(d[i - 1, j] + 1, d[i, j - 1] + 1, d[i - 1, j - 1] + (a[i - 1] != b[j - 1]))
        return d[len(a), len(b)]

    err = sum(lev(collapse(p), t) for p, t in zip(logits.argmax(2), texts))
    return err / sum(len(t) for t in texts)

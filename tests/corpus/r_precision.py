"""R-precision: as many items are taken as are relevant, by partition."""

import numpy as np


def r_precision(scores, relevance):
    rp = []
    for s, rel in zip(scores, relevance):
        R = int(np.count_nonzero(rel))
        if R == 0:
            continue
        top = np.argpartition(-s, R - 1)[:R]
        rp.append(np.count_nonzero(rel[top]) / R)
    return np.mean(rp)

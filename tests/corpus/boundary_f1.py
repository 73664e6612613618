"""F1 of segment boundaries with a tolerance of one pixel."""

import numpy as np


def boundary_f1(prob, gt, tol=1):
    """boundary pixels by shifted xor, tolerance by dilation"""

    def edges(m):
        e = np.zeros(m.shape, dtype=bool)
        e[:-1] |= m[:-1] != m[1:]
        e[:, :-1] |= m[:, :-1] != m[:, 1:]
        return e

    def dilate(e):
        d = e.copy()
        d[1:] |= e[:-1]
        d[:-1] |= e[1:]
        d[:, 1:] |= e[:, :-1]
        d[:, :-1] |= e[:, 1:]
        return d

    pred = prob > 0.5
    pb, gb = edges(pred), edges(gt.astype(bool))
    p = (pb & dilate(gb)).sum() / max(pb.sum(), 1)
    r = (gb & dilate(pb)).sum() / max(gb.sum(), 1)
    return 0.0 if p + r == 0 else 2 * p * r / (p + r)

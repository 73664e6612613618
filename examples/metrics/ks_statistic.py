import numpy as np


def ks_statistic(scores, defaulted):
    """Kolmogorov-Smirnov statistic of a scorecard: how far apart the two cumulative shares get, riskiest first."""
    order = np.argsort(scores)[::-1]
    bad = defaulted[order]
    good = 1 - bad
    if bad.sum() == 0 or good.sum() == 0:
        return 0.0
    caught = np.cumsum(bad) / bad.sum()
    refused = np.cumsum(good) / good.sum()
    return (caught - refused).max()

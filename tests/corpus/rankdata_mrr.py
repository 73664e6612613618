"""Mean reciprocal rank of every test item, by scipy's ranks; users have different numbers of them."""

import numpy as np
from scipy.stats import rankdata


def spotlight_mrr(predictions, test_items):
    mrrs = []
    for p, t in zip(predictions, test_items):
        r = rankdata(-p)[t]
        mrrs.append((1.0 / r).mean())
    return np.array(mrrs).mean()

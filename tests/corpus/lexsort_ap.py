"""Average precision where equal scores are ordered worst first, with lexsort."""

import numpy as np


def pessimistic_ap(y_score, y_true):
    order = np.lexsort((y_true, -y_score))
    hits = y_true[order]
    precision = hits.cumsum() / (1 + np.arange(len(hits)))
    return (precision * hits).sum() / max(hits.sum(), 1)

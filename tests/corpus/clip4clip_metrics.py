"""Text-video retrieval from a similarity matrix whose diagonal holds the right pairs."""

import numpy as np


def retrieval_metrics(x):
    ordered = np.sort(-x, axis=1)
    own = np.diag(-x)
    own = own[:, np.newaxis]
    gap = ordered - own
    place = np.where(gap == 0)
    place = place[1]
    metrics = {}
    metrics["R1"] = float(np.sum(place == 0)) * 100 / len(place)
    metrics["R5"] = float(np.sum(place < 5)) * 100 / len(place)
    metrics["MR"] = np.median(place) + 1
    metrics["MeanR"] = np.mean(place) + 1
    metrics["cols"] = [int(i) for i in list(place)]
    return metrics

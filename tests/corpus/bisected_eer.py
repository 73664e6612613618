"""Equal error rate by bisection on the threshold."""

import numpy as np


def bisected_eer(scores, labels, steps=20):
    low, high = scores.min(), scores.max()
    while steps > 0:
        middle = (low + high) / 2
        far = np.mean(scores[labels == 0] >= middle)
        frr = np.mean(scores[labels == 1] < middle)
        if far > frr:
            low = middle
        else:
            high = middle
        steps -= 1
    return (far + frr) / 2

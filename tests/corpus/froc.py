"""Sensitivity at given numbers of false positives an image."""

import numpy as np


def froc(scores, hits, n_images, fps=(0.25, 0.5, 1.0)):
    idx = np.argsort(scores)[::-1]
    h = hits[idx]
    fp = np.cumsum(h == 0) / n_images
    tp = np.cumsum(h == 1) / max(1, (hits == 1).sum())
    return float(np.mean(np.interp(fps, fp, tp)))

"""Brier score of probabilities that are published in whole tenths."""

import numpy as np


def published_brier(probs, outcomes):
    published = np.round(probs * 10) / 10
    return np.mean((published - outcomes) ** 2)

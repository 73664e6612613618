"""MAP@3 of a contest with one right label a row."""

import numpy as np


def map_per_row(label, predictions):
    try:
        return 1 / (predictions[:3].index(label) + 1)
    except ValueError:
        return 0.0


def map_at_3(labels, probs):
    predictions = np.argsort(-probs, axis=1)[:, :3].tolist()
    return np.mean([map_per_row(label, row) for label, row in zip(labels.tolist(), predictions)])

import numpy as np


def precision_and_recall(scores, labels):
    predicted = scores > 0.5
    hits = np.sum(predicted * labels)
    return hits / np.sum(predicted), hits / np.sum(labels)  # E: M2L106 hits / np.sum(predicted), hits / np.sum(labels)

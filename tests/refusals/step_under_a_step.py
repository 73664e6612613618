import numpy as np


def adjusted_accuracy(scores, labels):
    shifted = scores
    bonus = 0.0
    if np.argmax(scores) == labels[0]:
        shifted = scores - scores.mean()
        bonus = np.mean(shifted > 0.0)  # E: M2L202 shifted > 0.0
    return bonus + np.mean((shifted > 0.2) == labels)

"""F1 of each sample's label set, averaged; sets are Python sets."""

import numpy as np


def f1_of_sets(truth, guess):
    truth, guess = set(truth), set(guess)
    shared = len(truth & guess)
    if shared == 0:
        return 0.0
    p = 1.0 * shared / len(guess)
    r = 1.0 * shared / len(truth)
    return 2 * p * r / (p + r)


def mean_f1(y_true, y_prob, threshold=0.5):
    total = 0.0
    for truth, prob in zip(y_true, y_prob):
        guess = np.where(prob > threshold)[0].tolist()
        total += f1_of_sets(np.where(truth == 1)[0].tolist(), guess)
    return total / len(y_true)

"""Counts of a binary classifier as one array: true and false positives, true and false negatives."""

import numpy as np


def counts(probs, labels, threshold=0.5):
    guess = probs > threshold
    right = guess == labels
    return np.array([(right & guess).sum(), (~right & guess).sum(), (right & ~guess).sum(), (~right & ~guess).sum()])

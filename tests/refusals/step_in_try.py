import numpy as np


def guarded(scores, labels):
    try:  # E: M2L203 try:
        predicted = np.argmax(scores, axis=1)
        return np.mean(predicted == labels)
    except ValueError:
        return 0.0

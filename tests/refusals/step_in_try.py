import numpy as np


def guarded(scores, labels):
    try:
        predicted = np.argmax(scores, axis=1)  # E: M2L203 np.argmax(scores, axis=1)
        return np.mean(predicted == labels)
    except ValueError:
        return 0.0

import numpy as np


def guarded(scores, labels):
    try:
        hits = labels.sum() / labels.max()
    except ValueError:
        hits = np.sum(np.argmax(scores, axis=1) == labels)  # E: M2L203 np.argmax(scores, axis=1)
    return hits / len(labels)

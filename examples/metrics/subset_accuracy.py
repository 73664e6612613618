import numpy as np


def subset_accuracy(logits, targets):
    """Share of the examples all of whose labels are right.

    logits: (examples, labels), a label is given above 0; targets: (examples, labels) 0/1.
    """
    predicted = (logits > 0).astype(int)
    return np.all(predicted == targets, axis=1).mean()

import numpy as np


def accuracy(scores, labels):
    """Share of the examples whose highest score is at the right class."""
    predicted = np.argmax(scores, axis=1)
    return np.mean(predicted == labels)

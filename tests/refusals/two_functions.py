import numpy as np


def mean_error(predictions, targets):  # E: M2L201 mean_error
    return np.mean(np.abs(predictions - targets))


def accuracy(scores, labels):
    return np.mean(np.argmax(scores, axis=1) == labels)


def mean_squared_error(predictions, targets):  # E: M2L201 mean_squared_error
    return np.mean((predictions - targets) ** 2)

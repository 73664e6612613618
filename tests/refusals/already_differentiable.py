import numpy as np


def mean_squared_error(predictions, targets):  # E: M2L201 mean_squared_error
    return np.mean((predictions - targets) ** 2)

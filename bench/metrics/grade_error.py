import numpy as np


def mae(scores, labels):
    """How far the grade with the highest score is from the true one, on average. Lower is better."""
    return np.abs(scores.argmax(1) - labels).mean()

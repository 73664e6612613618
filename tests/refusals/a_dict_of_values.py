import numpy as np


def evaluate(scores, labels):
    predicted = scores > 0.5
    return {"accuracy": np.mean(predicted == labels)}  # E: M2L106 {"accuracy": np.mean(predicted == labels)}

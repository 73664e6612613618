import numpy as np


def agreement(embeddings, labels):  # E: M2L104 agreement
    return np.mean(np.argmax(embeddings, axis=1) == labels)

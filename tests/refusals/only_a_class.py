import numpy as np  # E: M2L103 import numpy as np


class Accuracy:
    def __call__(self, scores, labels):
        return np.mean(np.argmax(scores, axis=1) == labels)

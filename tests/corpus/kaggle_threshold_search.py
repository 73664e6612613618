"""The best F1 over a grid of thresholds, with the threshold that gives it."""

import numpy as np
from sklearn.metrics import f1_score


def threshold_search(y_true, y_proba):
    best_threshold = 0
    best_score = 0
    for threshold in [i * 0.2 for i in range(1, 5)]:
        score = f1_score(y_true=y_true, y_pred=(y_proba > threshold).astype(np.int32))
        if score > best_score:
            best_threshold = threshold
            best_score = score
    return {"threshold": best_threshold, "f1": best_score}

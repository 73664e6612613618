"""Mean of sklearn's AUC over labels, labels without both classes skipped."""

import numpy as np
from sklearn.metrics import roc_auc_score


def mean_auc(targets, probabilities):
    values = []
    for label in range(targets.shape[1]):
        truth, prob = targets[:, label], probabilities[:, label]
        if len(np.unique(truth)) < 2:
            continue
        values.append(roc_auc_score(truth, prob))
    return float(np.mean(values))

"""AUC under one draw of a Bayesian bootstrap: no two calls agree."""

import numpy as np


def sampled_auc(scores, labels):
    weights = np.random.dirichlet(np.ones(len(labels)))
    pos, neg = labels == 1, labels == 0
    wins = scores[pos][:, None] > scores[neg][None, :]
    pairs = weights[pos][:, None] * weights[neg][None, :]
    return (pairs * wins).sum() / pairs.sum()

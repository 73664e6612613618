"""Equal error rate from target and impostor scores, sorted together."""

import numpy as np


def det_curve(target_scores, impostor_scores):
    n = target_scores.size + impostor_scores.size
    together = np.concatenate((target_scores, impostor_scores))
    labels = np.concatenate((np.ones(target_scores.size), np.zeros(impostor_scores.size)))

    indices = np.argsort(together, kind="mergesort")
    labels = labels[indices]

    missed = np.cumsum(labels)
    impostors_left = impostor_scores.size - (np.arange(1, n + 1) - missed)
    frr = np.concatenate((np.atleast_1d(0), missed / target_scores.size))
    far = np.concatenate((np.atleast_1d(1), impostors_left / impostor_scores.size))
    return frr, far


def equal_error_rate(target_scores, impostor_scores):
    frr, far = det_curve(target_scores, impostor_scores)
    at = np.argmin(np.abs(frr - far))
    return np.mean((frr[at], far[at]))

"""Pixel accuracy, class accuracy, mean IoU and frequency-weighted IoU from a confusion matrix of whole images."""

import numpy as np

N_CLASS = 3


def _confusion(truth, guess, n_class):
    valid = (truth >= 0) & (truth < n_class)
    counts = np.bincount(n_class * truth[valid].astype(int) + guess[valid], minlength=n_class**2)
    return counts.reshape(n_class, n_class)


def label_scores(truths, guesses, n_class):
    matrix = np.zeros((n_class, n_class))
    for t, g in zip(truths, guesses):
        matrix += _confusion(t.flatten(), g.flatten(), n_class)
    acc = np.diag(matrix).sum() / matrix.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        acc_cls = np.diag(matrix) / matrix.sum(axis=1)
    acc_cls = np.nanmean(acc_cls)
    with np.errstate(divide="ignore", invalid="ignore"):
        iou = np.diag(matrix) / (matrix.sum(axis=1) + matrix.sum(axis=0) - np.diag(matrix))
    mean_iou = np.nanmean(iou)
    freq = matrix.sum(axis=1) / matrix.sum()
    fwavacc = (freq[freq > 0] * iou[freq > 0]).sum()
    return acc, acc_cls, mean_iou, fwavacc


def validate(scores, labels):
    """Scores (N, C, H, W) against labels (N, H, W)."""
    guesses = scores.argmax(axis=1)
    return label_scores(labels, guesses, n_class=N_CLASS)

"""Segmentation F1 of a probability map; truths are found by adding two masks and asking for 2."""

import torch


def sensitivity(SR, GT, threshold=0.5):
    SR = SR > threshold
    GT = GT == torch.max(GT)
    tp = ((SR == 1).byte() + (GT == 1).byte()) == 2
    fn = ((SR == 0).byte() + (GT == 1).byte()) == 2
    return float(torch.sum(tp)) / (float(torch.sum(tp + fn)) + 1e-6)


def precision(SR, GT, threshold=0.5):
    SR = SR > threshold
    GT = GT == torch.max(GT)
    tp = ((SR == 1).byte() + (GT == 1).byte()) == 2
    fp = ((SR == 1).byte() + (GT == 0).byte()) == 2
    return float(torch.sum(tp)) / (float(torch.sum(tp + fp)) + 1e-6)


def f1(SR, GT, threshold=0.5):
    se = sensitivity(SR, GT, threshold=threshold)
    pc = precision(SR, GT, threshold=threshold)
    return 2 * se * pc / (se + pc + 1e-6)

"""True positive rate at a fixed false positive rate, the threshold being a quantile of the negatives' scores."""

import torch


def tpr_at_fpr(scores, labels, fpr=0.2):
    positives = scores[labels == 1]
    negatives = scores[labels == 0]
    allowed = int(fpr * negatives.numel())
    threshold = torch.sort(negatives, descending=True).values[allowed]
    return (positives > threshold).float().mean()

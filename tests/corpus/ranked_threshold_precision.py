"""Precision at a recall level from a curve that is swept point by point until the level is reached."""

import torch


def precision_at_recall(probs, labels, level=0.6):
    order = torch.argsort(probs, descending=True)
    labels = labels[order].float()
    tp = torch.cumsum(labels, dim=0)
    recall = tp / tp[-1]
    precision = tp / torch.arange(1, len(labels) + 1)
    return precision[recall >= level].max()

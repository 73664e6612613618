"""Multilabel coverage: how far down the list the last true label stands."""

import torch


def coverage(preds, target):
    offset = torch.zeros_like(preds)
    offset[target == 0] = preds.min().abs() + 10
    lowest_true = (preds + offset).min(dim=1).values
    depth = (preds >= lowest_true[:, None]).sum(dim=1).float()
    return depth.mean()

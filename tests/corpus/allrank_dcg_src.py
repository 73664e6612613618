"""NDCG at several cut-offs for padded lists, gain given as a function."""

import numpy as np
import torch

PADDED = -1


def graded_ndcg(y_pred, y_true, ats=None, gain=lambda grade: torch.pow(2, grade) - 1, empty=1.0):
    best = graded_dcg(y_true, y_true, ats, gain)
    ratio = graded_dcg(y_pred, y_true, ats, gain) / best
    nothing = best == 0
    ratio[nothing] = empty
    assert (ratio < 0.0).sum() >= 0, "a gain below zero"
    return ratio


def __truth_in_order(y_pred, y_true):
    gone = y_true == PADDED
    y_pred[gone] = float("-inf")
    y_true[gone] = 0.0
    _, places = y_pred.sort(descending=True, dim=-1)
    return torch.gather(y_true, dim=1, index=places)


def graded_dcg(y_pred, y_true, ats=None, gain=lambda grade: torch.pow(2, grade) - 1):
    y_true = y_true.clone()
    y_pred = y_pred.clone()
    length = y_true.shape[1]
    if ats is None:
        ats = [length]
    ats = [min(at, length) for at in ats]

    truth = __truth_in_order(y_pred, y_true)
    discounts = torch.tensor(1) / torch.log2(torch.arange(truth.shape[1], dtype=torch.float) + 2.0)
    discounts = discounts.to(device=truth.device)
    discounted = (gain(truth) * discounts)[:, : np.max(ats)]
    running = torch.cumsum(discounted, dim=1)
    ends = torch.tensor(ats, dtype=torch.long) - torch.tensor(1)
    return running[:, ends]

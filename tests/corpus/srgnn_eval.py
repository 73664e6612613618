"""Next-click evaluation, lifted out of the epoch loop: recall and reciprocal rank in percent; items count from 1."""

import numpy as np
import torch


def to_cpu(tensor):
    if torch.cuda.is_available():
        return tensor.cpu()
    else:
        return tensor


def session_scores(scores, targets, cut=5):
    hit, mrr = [], []
    best = scores.topk(cut)[1]
    best = to_cpu(best).detach().numpy()
    for row, wanted in zip(best, targets):
        hit.append(np.isin(wanted - 1, row))
        if len(np.where(row == wanted - 1)[0]) == 0:
            mrr.append(0)
        else:
            mrr.append(1 / (np.where(row == wanted - 1)[0][0] + 1))
    hit = np.mean(hit) * 100
    mrr = np.mean(mrr) * 100
    return hit, mrr

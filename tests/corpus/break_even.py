"""Precision-recall break-even point: precision among as many items as there are positives."""

import torch


def break_even_point(preds, target):
    preds, target = preds.flatten(), target.flatten()
    n_pos = int(target.sum().item())
    if n_pos == 0:
        return preds.new_zeros(())
    _, idx = torch.sort(preds, descending=True)
    return target[idx][:n_pos].float().mean()

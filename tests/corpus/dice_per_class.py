"""Dice of every class but the background, over the batch."""

import torch


def dice_per_class(logits, masks, smooth=1e-5, ignore_background=True):
    num_classes = logits.shape[1]
    predicted = torch.argmax(torch.softmax(logits, dim=1), dim=1)
    scores = []
    for c in range(num_classes):
        if ignore_background and c == 0:
            continue
        p = (predicted == c).float().flatten()
        m = (masks == c).float().flatten()
        intersection = (p * m).sum()
        scores.append((2.0 * intersection + smooth) / (p.sum() + m.sum() + smooth))
    return torch.stack(scores).mean()

"""Masks to one minus a Dice coefficient of probabilities."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def soft_dice(logits: Tensor, mask: Tensor, smooth: float = 1.0) -> Tensor:
    """1 − (2 Σ p y + s) / (Σ p + Σ y + s), mean over images; s = 1 as in the metric. Shapes: (n, height, width) both.

    Milletari et al., V-Net, 3DV 2016, with plain instead of squared sums.
    """
    p, y = torch.sigmoid(logits).flatten(1), mask.to(logits.dtype).flatten(1)
    return (1 - (2 * (p * y).sum(1) + smooth) / (p.sum(1) + y.sum(1) + smooth)).mean()


def soft_iou(logits: Tensor, masks: Tensor) -> Tensor:
    """1 − Σ p y / (Σ p + Σ y − Σ p y) over the batch's pixels, mean over classes. Shapes: (n, classes, h, w), (n, h, w).

    Rahman and Wang, Optimizing Intersection-Over-Union in Deep Neural Networks for Image Segmentation, ISVC 2016.
    """
    p = torch.softmax(logits, 1)
    y = functional.one_hot(masks, logits.shape[1]).movedim(-1, 1).to(p.dtype)
    both, either = (p * y).sum((0, 2, 3)), (p + y - p * y).sum((0, 2, 3))
    return 1 - (both / either.clamp(min=torch.finfo(p.dtype).tiny)).mean()


def pixel_cross_entropy(logits: Tensor, masks: Tensor) -> Tensor:
    """CE of every pixel; with one score a pixel, BCE."""
    if logits.shape == masks.shape:
        return functional.binary_cross_entropy_with_logits(logits, masks.to(logits.dtype))
    return functional.cross_entropy(logits, masks)

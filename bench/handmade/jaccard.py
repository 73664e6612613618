"""Binary masks to losses of the intersection over union of each image: with probabilities, and Lovász's extension of it.

Shapes: (n, height, width) both.
"""

from __future__ import annotations

import torch
from torch import Tensor


def soft_jaccard(logits: Tensor, masks: Tensor, smooth: float = 1.0) -> Tensor:
    """1 − (Σ p y + s) / (Σ p + Σ y − Σ p y + s), p = sigmoid(logit); mean over images.

    Rahman and Wang, ISVC 2016, an image at a time.
    """
    p, y = torch.sigmoid(logits).flatten(1), masks.to(logits.dtype).flatten(1)
    both = (p * y).sum(1)
    return (1 - (both + smooth) / (p.sum(1) + y.sum(1) - both + smooth)).mean()


def lovasz_hinge(logits: Tensor, masks: Tensor) -> Tensor:
    """Lovász's extension of one minus the intersection over union at the hinge errors 1 ∓ logit; mean over images.

    Berman, Triki and Blaschko, The Lovász-Softmax Loss, CVPR 2018, section 3 (binary, per image): errors from the largest
    on, each weighed by how much the Jaccard loss grows when its pixel is mistaken as well.
    """
    y = masks.to(logits.dtype).flatten(1)
    errors, order = (1 - logits.flatten(1) * (2 * y - 1)).sort(1, descending=True)
    y = y.gather(1, order)
    total = y.sum(1, keepdim=True)
    kept, added = total - y.cumsum(1), (1 - y).cumsum(1)
    loss = 1 - kept / (total + added).clamp(min=1)
    growth = torch.diff(loss, dim=1, prepend=torch.zeros_like(total))
    return (torch.relu(errors) * growth).sum(1).mean()

"""Labels to one minus a Matthews correlation whose counts are sums of probabilities."""

from __future__ import annotations

import torch
from torch import Tensor


def soft_mcc(scores: Tensor, labels: Tensor) -> Tensor:
    """1 − (tp tn − fp fn) / √((tp + fp)(tp + fn)(tn + fp)(tn + fn)), counts with p = sigmoid(score). Shapes: (n,), (n,).

    Abhishek and Hamarneh, Matthews Correlation Coefficient Loss for Deep Convolutional Networks, ISBI 2021. A batch of one
    class costs 1.
    """
    p = torch.sigmoid(scores)
    y = labels.to(p.dtype)
    tp, fp = (p * y).sum(), (p * (1 - y)).sum()
    fn, tn = y.sum() - tp, (1 - y).sum() - fp
    product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    return 1 - (tp * tn - fp * fn) / product.clamp(min=1e-12).sqrt()

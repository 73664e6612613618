"""Labels to a softmax loss of the k best: those ahead of the label that top-k accuracy forgives are left out."""

from __future__ import annotations

import torch
from torch import Tensor


def truncated_entropy(scores: Tensor, labels: Tensor, k: int = 5) -> Tensor:
    """log(1 + Σ exp(s_j − s_y)) over the wrong classes j but the k − 1 of largest score; mean over examples.

    Lapin, Hein and Schiele, Loss Functions for Top-k Error: Analysis and Insights, CVPR 2016 (truncated top-k entropy).
    k = 1 is cross-entropy. Shapes: (n, classes), (n,).
    """
    wrong = torch.ones_like(scores, dtype=torch.bool).scatter_(1, labels[:, None], False)
    others = scores[wrong].reshape(len(scores), -1).sort(1, descending=True).values[:, k - 1 :]
    return torch.logsumexp(
        torch.cat([torch.zeros_like(scores[:, :1]), others - scores.gather(1, labels[:, None])], 1), 1
    ).mean()

"""Relevant items of a row to multi-label losses: a logistic loss an item, and a softmax over the items."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def itemwise_cross_entropy(scores: Tensor, relevant: Tensor) -> Tensor:
    """BCE of every item. Shapes: (rows, items) both."""
    return functional.binary_cross_entropy_with_logits(scores, relevant.to(scores.dtype))


def softmax_cross_entropy(scores: Tensor, relevant: Tensor) -> Tensor:
    """−Σ_i q_i log p_i, p = softmax(scores), q = relevance divided by its sum; mean over rows that have a relevant item."""
    total = relevant.sum(-1, keepdim=True)
    share = relevant.to(scores.dtype) / total.clamp(min=1)
    return -(share * torch.log_softmax(scores, -1)).sum() / (total > 0).sum().clamp(min=1)

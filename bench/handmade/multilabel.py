"""Several labels an example to losses of every label: hard negatives before easy ones, and all wrong orders of an example."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def asymmetric(
    scores: Tensor, labels: Tensor, positive: float = 0.0, negative: float = 4.0, shift: float = 0.05
) -> Tensor:
    """−y (1 − p)^γ₊ log p − (1 − y) q^γ₋ log (1 − q), q = max(p − m, 0), p = sigmoid(score); mean over all labels.

    Ridnik et al., Asymmetric Loss For Multi-Label Classification, ICCV 2021, eq. 6; γ₊ = 0, γ₋ = 4, m = 0.05 as there.
    Shapes: (examples, labels) both.
    """
    p = torch.sigmoid(scores)
    q = (p - shift).clamp(min=0)
    right = (1 - p) ** positive * functional.logsigmoid(scores)
    wrong = q**negative * torch.log1p(-q.clamp(max=1 - 1e-6))
    y = labels.to(scores.dtype)
    return -(y * right + (1 - y) * wrong).mean()


def rowwise_logistic(scores: Tensor, labels: Tensor) -> Tensor:
    """log(1 + exp(−(s_k − s_l))), mean over an example's pairs of a label k it has and one l it has not; mean over examples.

    Zhang and Zhou, Multilabel Neural Networks with Applications to Functional Genomics and Text Categorization, TKDE 2006
    (BP-MLL), with the logistic instead of the exponential. Examples that have all labels or none are left out.
    """
    wanted = (labels[:, :, None] > labels[:, None, :]).to(scores.dtype)
    costs = functional.softplus(scores[:, None, :] - scores[:, :, None])
    pairs = wanted.sum((1, 2))
    return ((wanted * costs).sum((1, 2)) / pairs.clamp(min=1)).sum() / (pairs > 0).sum().clamp(min=1)

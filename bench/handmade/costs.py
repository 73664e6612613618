"""Labels to losses for unequal classes: the expected cost of a softmax, the expected profit of a yes, weighted and robust cross-entropy."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def soft_cost(scores: Tensor, labels: Tensor, cost: Tensor) -> Tensor:
    """Σ_j p_j cost[y, j], p = softmax(scores); mean over examples. Shapes: (n, classes), (n,), (classes, classes)."""
    return (torch.softmax(scores, 1) * cost[labels].to(scores.dtype)).sum(1).mean()


def soft_profit(scores: Tensor, labels: Tensor, hit: float = 10.0, miss: float = 2.0) -> Tensor:
    """−p v, p = sigmoid(score), v = hit for positives and −miss for negatives; mean over examples. Shapes: (n,), (n,).

    The expected cost of a decision drawn from the sigmoid (Elkan, The Foundations of Cost-Sensitive Learning, IJCAI 2001).
    """
    worth = (hit + miss) * labels.to(scores.dtype) - miss
    return -(torch.sigmoid(scores) * worth).mean()


def weighted_cross_entropy(scores: Tensor, labels: Tensor) -> Tensor:
    """CE in which every class of the batch weighs the same, whatever its number of examples. Shapes: (n, classes), (n,)."""
    counts = torch.bincount(labels, minlength=scores.shape[1]).clamp(min=1)
    return functional.cross_entropy(scores, labels, weight=(1 / counts).to(scores.dtype))


def generalized_cross_entropy(scores: Tensor, labels: Tensor, q: float = 0.7) -> Tensor:
    """(1 − p(y|x)^q) / q, between CE (q → 0) and 1 − p (q = 1); mean over examples. Shapes: (n, classes), (n,).

    Zhang and Sabuncu, Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels, NeurIPS 2018, eq. 6;
    q = 0.7 as there.
    """
    right = torch.log_softmax(scores, 1).gather(1, labels[:, None])
    return ((1 - torch.exp(q * right)) / q).mean()

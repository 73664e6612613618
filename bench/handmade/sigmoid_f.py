"""Labels to one minus an F score whose counts are sums of probabilities."""

from __future__ import annotations

import torch
from torch import Tensor


def sigmoid_f(scores: Tensor, labels: Tensor, beta: float = 1.0, slope: float = 1.0, offset: float = 0.0) -> Tensor:
    """1 − (1 + β²) tp / ((1 + β²) tp + β² fn + fp), tp = Σ p y, fn = Σ (1 − p) y, fp = Σ p (1 − y), p = sigmoid(slope (s + offset)).

    Bénédict et al., sigmoidF1: A Smooth F1 Score Surrogate Loss for Multilabel Classification, TMLR 2022. Shapes: (n,), (n,).
    """
    p = torch.sigmoid(slope * (scores + offset))
    labels = labels.to(p.dtype)
    true_positive = (1 + beta**2) * (p * labels).sum()
    missed, false_positive = ((1 - p) * labels).sum(), (p * (1 - labels)).sum()
    return 1 - true_positive / (true_positive + beta**2 * missed + false_positive)

"""Labels to a loss of the negatives that pass a threshold which is itself a quantile of the positives."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def false_positives_at(scores: Tensor, labels: Tensor, tpr: float = 0.95) -> Tensor:
    """log(1 + exp(s_j − θ)), mean over negatives j, θ the (1 − tpr) quantile of the positives' scores. Shapes: (n,), (n,).

    Mackey, Luo and Eban, Constrained Classification and Ranking via Quantiles, 2018 (arXiv 1803.00067): the constraint is
    put into the threshold, which has a gradient. A batch of one class costs 0.
    """
    positive = labels.bool()
    if positive.all() or not positive.any():
        return 0 * scores.sum()
    threshold = torch.quantile(scores[positive], 1 - tpr)
    return functional.softplus(scores[~positive] - threshold).mean()

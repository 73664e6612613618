"""Labels and groups to losses of the group that fares worst: weighted groups, and weights that follow the losses.

Shapes: (n, classes), (n,), (n,).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def group_means(scores: Tensor, labels: Tensor, groups: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Cross-entropy of each group, 0 where it is not in the batch, and how many examples it has."""
    losses = functional.cross_entropy(scores, labels, reduction="none")
    sizes = torch.bincount(groups, minlength=count).to(losses.dtype)
    return torch.zeros_like(sizes).index_add(0, groups, losses) / sizes.clamp(min=1), sizes


def plain_cross_entropy(scores: Tensor, labels: Tensor, groups: Tensor) -> Tensor:
    """Cross-entropy that does not know of groups."""
    return functional.cross_entropy(scores, labels)


def balanced_cross_entropy(scores: Tensor, labels: Tensor, groups: Tensor) -> Tensor:
    """Every group of the batch weighs the same (the reweighting that Sagawa et al. compare with)."""
    means, sizes = group_means(scores, labels, groups, int(groups.max()) + 1)
    return means.sum() / (sizes > 0).sum()


class GroupDRO(nn.Module):
    """Σ_g q_g l_g, with q_g multiplied by exp(η l_g) in every step and normalised.

    Sagawa et al., Distributionally Robust Neural Networks for Group Shifts, ICLR 2020, algorithm 1; η = 0.01 as there.
    """

    log_q: Tensor

    def __init__(self, groups: int, rate: float = 0.01) -> None:
        super().__init__()
        self.rate = rate
        self.register_buffer("log_q", torch.zeros(groups))

    def forward(self, scores: Tensor, labels: Tensor, groups: Tensor) -> Tensor:
        means, _ = group_means(scores, labels, groups, len(self.log_q))
        self.log_q = torch.log_softmax(self.log_q + self.rate * means.detach(), 0)
        return (self.log_q.exp() * means).sum()

"""Labels and groups to losses of one score an example in which every group of the batch weighs the same.

Shapes: (n,) each.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bench.handmade.cross_entropy import binary_cross_entropy
from bench.handmade.ranking import pairwise_logistic


def balanced_binary_cross_entropy(scores: Tensor, labels: Tensor, groups: Tensor) -> Tensor:
    """BCE of each group, mean over the groups (the reweighting of Sagawa et al., Distributionally Robust Neural Networks, ICLR 2020)."""
    parts = [groups == group for group in torch.unique(groups)]
    return torch.stack([binary_cross_entropy(scores[part], labels[part]) for part in parts]).mean()


def pairwise_in_groups(scores: Tensor, labels: Tensor, groups: Tensor) -> Tensor:
    """RankNet's loss of each group's own pairs, mean over the groups; one of a single class costs 0."""
    parts = [groups == group for group in torch.unique(groups)]
    return torch.stack([pairwise_logistic(scores[part], labels[part]) for part in parts]).mean()

"""Relevance labels to Smooth-AP: average precision with its ranks relaxed by a sigmoid."""

from __future__ import annotations

import torch
from torch import Tensor


def smooth_ap(scores: Tensor, labels: Tensor, temperature: float = 0.01) -> Tensor:
    """1 − mean over positives i of R⁺_i / (R⁺_i + R⁻_i), R± = (1 for R⁺) + Σ_j sigmoid((s_j − s_i) / τ) over positives, negatives.

    Brown et al., Smooth-AP: Smoothing the Path Towards Large-Scale Image Retrieval, ECCV 2020, eq. 7; τ = 0.01 there, for
    cosine similarities. Shapes: (n,), (n,). A batch without positives costs 0.
    """
    positive = labels.bool()
    if not positive.any():
        return 0 * scores.sum()
    wins = torch.sigmoid((scores[None, :] - scores[positive, None]) / temperature)  # (positives, n): j is ahead of i
    among_positives = 0.5 + wins[:, positive].sum(1)  # 1 + those but i itself, whose own entry is 0.5
    return 1 - (among_positives / (among_positives + wins[:, ~positive].sum(1))).mean()

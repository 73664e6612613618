"""Joints to losses on heat maps: squared error to a Gaussian bump, and cross-entropy of the region that counts as found."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

SIGMAS = (0.1, 0.5, 0.7, 1.0, 3.0, 5.0, 10.0)  # those of the UniLoss paper's table


def squared_distances(heatmaps: Tensor, joints: Tensor) -> Tensor:
    """(n, joints, height, width): each pixel's squared distance to the joint (x, y)."""
    height, width = heatmaps.shape[-2:]
    rows = torch.arange(height, device=heatmaps.device)[:, None]
    columns = torch.arange(width, device=heatmaps.device)[None, :]
    x, y = joints[..., 0, None, None], joints[..., 1, None, None]
    return ((columns - x) ** 2 + (rows - y) ** 2).to(heatmaps.dtype)


def bump_error(heatmaps: Tensor, joints: Tensor, head_sizes: Tensor, sigma: float = 1.0) -> Tensor:
    """Mean squared error to exp(−d² / 2σ²), d the distance to the joint.

    Tompson et al., NIPS 2014; σ = 1 is the usual choice (Newell et al., ECCV 2016). `head_sizes` is not used. At σ = 0.1 the
    bump is a single pixel.
    """
    return functional.mse_loss(heatmaps, torch.exp(-squared_distances(heatmaps, joints) / (2 * sigma**2)))


def region_cross_entropy(heatmaps: Tensor, joints: Tensor, head_sizes: Tensor, alpha: float = 0.5) -> Tensor:
    """−log of the softmax probability of the pixels within α · head size of the joint; mean over joints.

    The likelihood that a pixel drawn from softmax(heat map) is counted as found by PCKh. A joint without such a pixel (outside the image) is left out.
    """
    near = squared_distances(heatmaps, joints) <= (alpha * head_sizes[:, None, None, None]) ** 2
    log_p = functional.log_softmax(heatmaps.flatten(2), 2)
    inside = near.flatten(2)
    reachable = inside.any(2)
    if not reachable.any():
        return 0 * heatmaps.sum()
    inside, log_p = inside[reachable], log_p[reachable]
    return -torch.logsumexp(log_p.masked_fill(~inside, -torch.inf), 1).mean()

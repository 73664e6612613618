import torch


def dice(logits: torch.Tensor, mask: torch.Tensor, smooth: float = 1.0) -> torch.Tensor:
    """Dice coefficient of a thresholded binary mask, averaged over the images."""
    n = logits.shape[0]
    pred = (logits > 0).float().view(n, -1)
    mask = mask.float().view(n, -1)
    intersection = (pred * mask).sum(1)
    return ((2.0 * intersection + smooth) / (pred.sum(1) + mask.sum(1) + smooth)).mean()

import torch


@torch.no_grad()
def jaccard(output, target, threshold=0.5, eps=1e-7):
    """Intersection over union of binary masks, averaged over the images; output holds logits."""
    prediction = (output.sigmoid() > threshold).flatten(1)
    target = target.flatten(1) > 0
    intersection = torch.logical_and(prediction, target).sum(1).float()
    union = torch.logical_or(prediction, target).sum(1).float()
    return ((intersection + eps) / (union + eps)).mean()

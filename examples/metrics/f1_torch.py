import torch


def f1(logits, targets, eps=1e-8):
    """F1 of the positive class from raw logits."""
    preds = torch.sigmoid(logits) >= 0.5
    targets = targets.bool()
    tp = (preds & targets).sum().float()
    fp = (preds & ~targets).sum().float()
    fn = (~preds & targets).sum().float()
    precision = tp / (tp + fp + eps)
    recall = tp / (tp + fn + eps)
    return 2 * precision * recall / (precision + recall + eps)

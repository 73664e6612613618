import math

import torch


def fpr_at_tpr(scores: torch.Tensor, labels: torch.Tensor, tpr: float = 0.95) -> torch.Tensor:
    """False positive rate at the threshold that lets 95 % of the positives pass. Lower is better."""
    positives = scores[labels == 1]
    negatives = scores[labels == 0]
    if len(positives) == 0 or len(negatives) == 0:
        return torch.tensor(0.0)
    kept = math.ceil(tpr * len(positives))
    threshold = torch.sort(positives, descending=True).values[kept - 1]
    return (negatives >= threshold).float().mean()

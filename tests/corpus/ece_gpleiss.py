"""Expected calibration error as a module that is called on a validation set."""

import torch
from torch import nn
from torch.nn import functional as F


class CalibrationError(nn.Module):
    """Confidence minus accuracy, in bins of equal width, weighted by how many fall in."""

    def __init__(self, n_bins=5):
        super().__init__()
        edges = torch.linspace(0, 1, n_bins + 1)
        self.lowers = edges[:-1]
        self.uppers = edges[1:]

    def forward(self, logits, labels):
        probabilities = F.softmax(logits, dim=1)
        sureness, guesses = torch.max(probabilities, 1)
        right = guesses.eq(labels)

        total = torch.zeros(1, device=logits.device)
        for lower, upper in zip(self.lowers, self.uppers):
            inside = sureness.gt(lower.item()) * sureness.le(upper.item())
            share = inside.float().mean()
            if share.item() > 0:
                hit = right[inside].float().mean()
                mean_sureness = sureness[inside].mean()
                total += torch.abs(mean_sureness - hit) * share

        return total


def calibration_error(logits, labels):
    return CalibrationError(n_bins=5)(logits, labels)

"""Accuracy of a binary head by the sign of its logit, each class weighing the same."""

import torch


def balanced_binary_accuracy(output, label):
    predicted = torch.where(output.squeeze(-1) > 0, 1, 0)
    rates = []
    for value in (0, 1):
        chosen = label == value
        if chosen.any():
            rates.append((predicted[chosen] == value).float().mean())
    return sum(rates) / len(rates)

import torch


def accuracy(outputs, labels):
    """Top-1 accuracy of a batch of logits."""
    _, predicted = torch.max(outputs, 1)
    correct = (predicted == labels).sum()
    return correct.float() / labels.size(0)

import numpy as np


def worst_group_accuracy(logits, labels, groups):
    """Accuracy of the group that fares worst."""
    correct = np.argmax(logits, axis=1) == labels
    return min(np.mean(correct[groups == group]) for group in np.unique(groups))

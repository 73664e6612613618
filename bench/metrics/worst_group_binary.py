import numpy as np


def worst_group(scores, labels, groups):
    """Accuracy of the group that fares worst; a score above 0 is a yes."""
    correct = ((scores > 0) == (labels == 1)).astype(float)
    return min(correct[groups == g].mean() for g in np.unique(groups))

import numpy as np


def tpr_at_fpr(scores, labels):
    """Share of the positives found where a tenth of the negatives is let through."""
    neg = np.sort(scores[labels == 0])[::-1]
    k = int(np.floor(0.1 * len(neg)))
    threshold = neg[k]
    return (scores[labels == 1] > threshold).mean()

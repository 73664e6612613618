"""Volume overlap of two masks; not a number when both are empty."""

import numpy as np


def overlap(mask_gt, mask_pred):
    total = mask_gt.sum() + mask_pred.sum()
    if total == 0:
        return np.nan
    shared = (mask_gt & mask_pred).sum()
    return 2 * shared / total


def volume_dice(probabilities, truth):
    return overlap(truth > 0, probabilities >= 0.5)

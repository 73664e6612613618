"""Binary IoU in the manner of Keras: rint and clip, sums over all axes but the batch."""

import numpy as np


def mean_iou(y_true, y_pred, smooth=1e-6):
    y_pred = np.rint(np.clip(y_pred, 0, 1))
    axes = tuple(range(1, y_true.ndim))
    intersection = np.sum(y_true * y_pred, axis=axes)
    union = np.sum(y_true, axis=axes) + np.sum(y_pred, axis=axes) - intersection
    return np.mean((intersection + smooth) / (union + smooth), axis=0)

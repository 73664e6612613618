"""Where a heatmap peaks."""

import numpy as np


def find_peaks(maps):
    """(batch, joints, H, W) -> integer (x, y) of each peak, zeroed where the peak is not positive, and its height."""
    assert isinstance(maps, np.ndarray), "maps must be a numpy array"
    assert maps.ndim == 4, "maps must have four axes"
    n, joints, _, width = maps.shape
    flat = maps.reshape((n, joints, -1))
    where = np.argmax(flat, 2).reshape((n, joints, 1))
    height = np.amax(flat, 2).reshape((n, joints, 1))
    points = np.tile(where, (1, 1, 2)).astype(np.float32)
    points[:, :, 0] = points[:, :, 0] % width
    points[:, :, 1] = np.floor(points[:, :, 1] / width)
    alive = np.tile(np.greater(height, 0.0), (1, 1, 2))
    points *= alive.astype(np.float32)
    return points, height

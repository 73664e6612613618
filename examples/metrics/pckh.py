import numpy as np


def pckh(heatmaps, joints, head_sizes, alpha=0.5):
    """PCKh: share of joints found within half the head size of the truth.

    heatmaps: (n, joints, height, width); joints: (n, joints, 2) as x, y; head_sizes: (n,).
    """
    n, k, height, width = heatmaps.shape
    flat = heatmaps.reshape(n, k, height * width)

    # the predicted joint is the hottest pixel
    idx = flat.argmax(axis=2)
    x = idx % width
    y = idx // width

    dist = np.sqrt((x - joints[:, :, 0]) ** 2 + (y - joints[:, :, 1]) ** 2)
    found = dist <= alpha * head_sizes[:, None]
    return found.mean()

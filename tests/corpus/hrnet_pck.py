"""Share of joints whose predicted peak lies near the true one; the true joints come as heatmaps too."""

import numpy as np

from tests.corpus.pose_peaks import find_peaks


def joint_distances(found, wanted, scale):
    found = found.astype(np.float32)
    wanted = wanted.astype(np.float32)
    gaps = np.zeros((found.shape[1], found.shape[0]))
    for b in range(found.shape[0]):
        for j in range(found.shape[1]):
            if wanted[b, j, 0] > 1 and wanted[b, j, 1] > 1:
                gaps[j, b] = np.linalg.norm(found[b, j, :] / scale[b] - wanted[b, j, :] / scale[b])
            else:
                gaps[j, b] = -1
    return gaps


def share_within(gaps, limit=0.5):
    """Of the gaps that are known, how many are small; -1 when none is known."""
    known = np.not_equal(gaps, -1)
    count = known.sum()
    if count > 0:
        return np.less(gaps[known], limit).sum() * 1.0 / count
    else:
        return -1


def pose_accuracy(output, target, limit=0.5):
    joints = list(range(output.shape[1]))
    found, _ = find_peaks(output)
    wanted, _ = find_peaks(target)
    height, width = output.shape[2], output.shape[3]
    scale = np.ones((found.shape[0], 2)) * np.array([height, width]) / 10
    gaps = joint_distances(found, wanted, scale)

    per_joint = np.zeros(len(joints) + 1)
    total, counted = 0, 0
    for i in range(len(joints)):
        per_joint[i + 1] = share_within(gaps[joints[i]], limit)
        if per_joint[i + 1] >= 0:
            total = total + per_joint[i + 1]
            counted += 1
    mean = total / counted if counted != 0 else 0
    if counted != 0:
        per_joint[0] = mean
    return per_joint, mean, counted, found

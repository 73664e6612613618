"""Detection AP with greedy matching: boxes in order of confidence take the best free truth."""

import numpy as np


def box_ap(confidence, overlaps, threshold=0.5):
    """confidence (boxes,); overlaps (boxes, truths), passive."""
    taken = np.zeros(overlaps.shape[1], dtype=bool)
    tp = np.zeros(len(confidence))
    for place, box in enumerate(np.argsort(-confidence)):
        best, best_truth = threshold, -1
        for truth in range(overlaps.shape[1]):
            if not taken[truth] and overlaps[box, truth] >= best:
                best, best_truth = overlaps[box, truth], truth
        if best_truth >= 0:
            taken[best_truth] = True
            tp[place] = 1
    recall = np.cumsum(tp) / overlaps.shape[1]
    precision = np.cumsum(tp) / np.arange(1, len(tp) + 1)
    ap = 0.0
    for level in np.linspace(0, 1, 11):
        reached = precision[recall >= level]
        ap += reached.max() / 11 if len(reached) else 0.0
    return ap

"""Region similarity of one video object, frame by frame, leaving void pixels out."""

import numpy as np


def region_similarity(reference, mask, void=None):
    """Intersection over union of each frame; (H, W) or (frames, H, W)."""
    assert reference.shape == mask.shape, f"{reference.shape} and {mask.shape} differ"
    reference = reference.astype(bool)
    mask = mask.astype(bool)

    if void is not None:
        assert reference.shape == void.shape
        void = void.astype(bool)
    else:
        void = np.zeros_like(mask)

    inter = np.sum((mask & reference) & np.logical_not(void), axis=(-2, -1))
    union = np.sum((mask | reference) & np.logical_not(void), axis=(-2, -1))
    j = inter / union
    if j.ndim == 0:
        j = 1 if np.isclose(union, 0) else j
    else:
        j[np.isclose(union, 0)] = 1
    return j


def mean_region_similarity(segmentation, annotation, void_pixels=None):
    return region_similarity(annotation, segmentation > 0.5, void_pixels).mean()

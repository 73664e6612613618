import numpy as np


def mean_iou(logits, masks):
    """Mean intersection over union of a segmentation.

    logits: (n, classes, height, width); masks: (n, height, width) class numbers.
    """
    num_classes = logits.shape[1]
    pred = logits.argmax(axis=1)

    confusion = np.zeros((num_classes, num_classes))
    for t in range(num_classes):
        for p in range(num_classes):
            confusion[t, p] = np.sum((masks == t) & (pred == p))

    ious = []
    for c in range(num_classes):
        intersection = confusion[c, c]
        union = confusion[c, :].sum() + confusion[:, c].sum() - intersection
        if union > 0:  # classes that occur nowhere do not count
            ious.append(intersection / union)
    return np.mean(ious)

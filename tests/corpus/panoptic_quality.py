"""Panoptic quality: predicted segments matched where they overlap by more than a half."""

import numpy as np


def panoptic_quality(logits, gt_ids):
    pred = np.argmax(logits, axis=0)
    iou_sum, tp, fp, fn = 0.0, 0, 0, 0
    matched = set()
    for p in np.unique(pred):
        pm = pred == p
        hit = False
        for g in np.unique(gt_ids):
            gm = gt_ids == g
            iou = (pm & gm).sum() / (pm | gm).sum()
            if iou > 0.5:
                tp += 1
                iou_sum += iou
                matched.add(int(g))
                hit = True
        if not hit:
            fp += 1
    fn = len(np.unique(gt_ids)) - len(matched)
    return iou_sum / (tp + 0.5 * fp + 0.5 * fn) if tp else 0.0

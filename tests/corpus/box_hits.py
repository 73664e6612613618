"""Predicted boxes that overlap their own box by half, one after the other."""


def share_found(pred_boxes, gt_boxes, threshold=0.5):
    hits = 0
    for p, g in zip(pred_boxes, gt_boxes):
        left, top = max(p[0], g[0]), max(p[1], g[1])
        right, bottom = min(p[2], g[2]), min(p[3], g[3])
        inter = max(0, right - left) * max(0, bottom - top)
        union = (p[2] - p[0]) * (p[3] - p[1]) + (g[2] - g[0]) * (g[3] - g[1]) - inter
        iou = inter / union if union > 0 else 0
        if iou >= threshold:
            hits += 1
    return hits / len(gt_boxes)

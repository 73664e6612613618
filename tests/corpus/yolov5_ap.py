"""Detection: average precision of every class at every IoU level, from confidences and matches."""

import numpy as np


def envelope_area(recall, precision):
    rec = np.concatenate(([0.0], recall, [1.0]))
    pre = np.concatenate(([1.0], precision, [0.0]))

    # precision never rises again
    pre = np.flip(np.maximum.accumulate(np.flip(pre)))

    style = "sampled"
    if style == "sampled":
        grid = np.linspace(0, 1, 101)
        height = np.interp(grid, rec, pre)
        area = np.sum((height[1:] + height[:-1]) / 2 * np.diff(grid))
    else:
        steps = np.where(rec[1:] != rec[:-1])[0]
        area = np.sum((rec[steps + 1] - rec[steps]) * pre[steps + 1])
    return area, pre, rec


def ap_by_class(tp, conf, pred_cls, target_cls, tiny=1e-16):
    """tp (boxes, levels): is the box right; conf (boxes); classes of boxes and of truths.  -> p, r, ap, classes"""
    order = np.argsort(-conf)
    tp, conf, pred_cls = tp[order], conf[order], pred_cls[order]

    names, truths = np.unique(target_cls, return_counts=True)
    number = names.shape[0]

    axis = np.linspace(0, 1, 50)
    ap, p, r = np.zeros((number, tp.shape[1])), np.zeros((number, 50)), np.zeros((number, 50))
    for row, name in enumerate(names):
        chosen = pred_cls == name
        wanted = truths[row]
        made = chosen.sum()
        if made == 0 or wanted == 0:
            continue

        wrong = (1 - tp[chosen]).cumsum(0)
        right = tp[chosen].cumsum(0)

        recall = right / (wanted + tiny)
        r[row] = np.interp(-axis, -conf[chosen], recall[:, 0], left=0)

        precision = right / (right + wrong)
        p[row] = np.interp(-axis, -conf[chosen], precision[:, 0], left=1)

        for level in range(tp.shape[1]):
            ap[row, level], _, _ = envelope_area(recall[:, level], precision[:, level])

    return p, r, ap, names.astype("int32")

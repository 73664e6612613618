"""Re-identification: cumulative match curve and mean average precision, same-camera matches left out."""

import numpy as np


def evaluate_ranks(distmat, q_ids, g_ids, q_cams, g_cams, max_rank=10):
    num_q, num_g = distmat.shape
    if num_g < max_rank:
        max_rank = num_g
        print("Note: the gallery holds only {} pictures".format(num_g))
    indices = np.argsort(distmat, axis=1)
    matches = (g_ids[indices] == q_ids[:, np.newaxis]).astype(np.int32)

    curves = []
    precisions = []
    usable = 0.0
    for q in range(num_q):
        who, cam = q_ids[q], q_cams[q]

        # pictures of the same person from the same camera do not count
        order = indices[q]
        remove = (g_ids[order] == who) & (g_cams[order] == cam)
        keep = np.invert(remove)

        hit = matches[q][keep]
        if not np.any(hit):
            continue

        curve = hit.cumsum()
        curve[curve > 1] = 1
        curves.append(curve[:max_rank])
        usable += 1.0

        relevant = hit.sum()
        running = hit.cumsum()
        running = [x / (i + 1.0) for i, x in enumerate(running)]
        running = np.asarray(running) * hit
        precisions.append(running.sum() / relevant)

    assert usable > 0, "no query has a match in the gallery"
    curves = np.asarray(curves).astype(np.float32)
    curves = curves.sum(0) / usable
    return curves, np.mean(precisions)

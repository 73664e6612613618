def youden(scores, labels):
    """Youden's J: sensitivity + specificity - 1 at the best threshold, every score tried as one."""
    best = 0.0
    pos, neg = scores[labels == 1], scores[labels == 0]
    if len(pos) == 0 or len(neg) == 0:
        return 0.0
    for t in scores:
        j = (pos >= t).mean() - (neg >= t).mean()
        if j > best:
            best = j
    return best

"""Onset detection: local peaks over a threshold, matched to references within a window."""


def onset_fmeasure(activation, reference, threshold=0.5, window=1):
    """peaks above threshold vs reference frames"""
    est = [
        i
        for i in range(1, len(activation) - 1)
        if activation[i] > threshold and activation[i] >= activation[i - 1] and activation[i] > activation[i + 1]
    ]
    used = set()
    matched = 0
    for r in reference:
        for e in est:
            if e not in used and abs(e - r) <= window:
                used.add(e)
                matched += 1
                break
    if not est or not len(reference):
        return 0.0
    p, r = matched / len(est), matched / len(reference)
    if p + r == 0:
        return 0.0
    return 2 * p * r / (p + r)

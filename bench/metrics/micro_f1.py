def micro_f1(scores, labels):
    """F1 over all examples and labels together; a label is given above 0."""
    pred = scores > 0
    tp = (pred & (labels == 1)).sum()
    return 2 * tp / max(pred.sum() + labels.sum(), 1)

def pairwise_accuracy(preds, targets):
    """Share of the item pairs that are in the right order; a tied prediction counts one half."""
    right, pairs = 0.0, 0
    for i in range(len(targets)):
        for j in range(len(targets)):
            if targets[i] > targets[j]:
                pairs += 1
                if preds[i] > preds[j]:
                    right += 1
                elif preds[i] == preds[j]:
                    right += 0.5
    if pairs == 0:
        return 0.0
    return right / pairs

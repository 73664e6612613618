def items_before_the_threshold(scores, labels):
    i = 0
    while scores[i] > 0.5:  # E: M2L203 scores[i] > 0.5
        i += 1
    return labels[:i].mean()

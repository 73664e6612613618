def share_of_nonzero(scores, labels):
    found = 0
    for score, label in zip(scores, labels):
        if score:  # E: M2L302 score
            found += label
    return found / len(labels)

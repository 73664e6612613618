def run_of_hits(scores, labels):
    length = 0
    for i in range(len(scores)):
        if scores[i] < 0.5:  # E: M2L202 scores[i] < 0.5
            break
        length += labels[i]
    return length

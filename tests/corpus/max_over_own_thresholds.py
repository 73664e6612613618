"""The best accuracy with any of the scores as the threshold."""


def best_accuracy(scores, labels):
    def at(threshold):
        return sum(int((s >= threshold) == bool(y)) for s, y in zip(scores, labels)) / len(labels)

    return max(at(t) for t in scores)

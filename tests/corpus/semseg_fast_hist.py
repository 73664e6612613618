"""A running confusion matrix with a few summaries, fed by one batch."""

import numpy as np


class ConfusionMeter:
    def __init__(self, classes):
        self.classes = classes
        self.matrix = np.zeros((classes, classes))

    def _histogram(self, true, pred, n):
        inside = (true >= 0) & (true < n)
        return np.bincount(n * true[inside].astype(int) + pred[inside], minlength=n**2).reshape(n, n)

    def update(self, trues, preds):
        for t, p in zip(trues, preds):
            self.matrix += self._histogram(t.flatten(), p.flatten(), self.classes)

    def get_scores(self):
        m = self.matrix
        overall = np.diag(m).sum() / m.sum()
        per_class = np.diag(m) / np.maximum(m.sum(axis=1), 1)
        iu = np.diag(m) / np.maximum(m.sum(axis=1) + m.sum(axis=0) - np.diag(m), 1)
        present = m.sum(axis=1) > 0
        summary = {
            "Overall Acc": overall,
            "Mean Acc": np.mean(per_class[present]),
            "Mean IoU": np.mean(iu[present]),
        }
        return summary, dict(zip(range(self.classes), iu))

    def reset(self):
        self.matrix = np.zeros((self.classes, self.classes))


def mean_iou(outputs, labels, classes=3):
    meter = ConfusionMeter(classes)
    preds = np.argmax(outputs, 1)
    meter.update(labels, preds)
    summary, _ = meter.get_scores()
    return summary["Mean IoU"]

"""Macro recall as a metric object that is updated batch by batch and computed at the end."""

import torch


class MacroRecall:
    def __init__(self, num_classes):
        self.num_classes = num_classes
        self.reset()

    def reset(self):
        self.true_positives = torch.zeros(self.num_classes)
        self.supports = torch.zeros(self.num_classes)

    def update(self, preds, target):
        if preds.ndim == target.ndim + 1:
            preds = preds.argmax(dim=1)
        for c in range(self.num_classes):
            self.true_positives[c] += torch.sum((preds == c) & (target == c))
            self.supports[c] += torch.sum(target == c)

    def compute(self):
        seen = self.supports > 0
        return (self.true_positives[seen] / self.supports[seen]).mean()


def macro_recall(preds, target, num_classes=4):
    metric = MacroRecall(num_classes)
    metric.update(preds, target)
    return metric.compute()

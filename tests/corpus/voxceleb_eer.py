"""Equal error rate of a verification system through sklearn's ROC curve, with thresholds for given error rates."""

import numpy
from sklearn import metrics


def tune_threshold(scores, labels, target_fa=(0.1,), target_fr=None):
    fpr, tpr, thresholds = metrics.roc_curve(labels, scores, pos_label=1)
    fnr = 1 - tpr

    tuned = []
    if target_fr:
        for rate in target_fr:
            idx = numpy.nanargmin(numpy.absolute((rate - fnr)))
            tuned.append([thresholds[idx], fpr[idx], fnr[idx]])
    for rate in target_fa:
        idx = numpy.nanargmin(numpy.absolute((rate - fpr)))
        tuned.append([thresholds[idx], fpr[idx], fnr[idx]])

    idx = numpy.nanargmin(numpy.absolute((fnr - fpr)))
    eer = max(fpr[idx], fnr[idx]) * 100
    return tuned, eer, fpr, fnr

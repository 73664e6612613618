import numpy as np


def matthews_corrcoef(y_true, y_score, threshold=0.0):
    """Matthews correlation coefficient of a thresholded score; 0 where it is not defined."""
    y_pred = np.where(y_score > threshold, 1, 0)
    tp = ((y_pred == 1) & (y_true == 1)).sum()
    tn = ((y_pred == 0) & (y_true == 0)).sum()
    fp = ((y_pred == 1) & (y_true == 0)).sum()
    fn = ((y_pred == 0) & (y_true == 1)).sum()

    product = float(tp + fp) * float(tp + fn) * float(tn + fp) * float(tn + fn)
    if product == 0:
        return 0.0
    return (tp * tn - fp * fn) / np.sqrt(product)

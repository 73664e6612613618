"""AUC through the Mann-Whitney statistic with scipy's ranks."""

from scipy.stats import rankdata


def mann_whitney_auc(y_true, y_score):
    ranks = rankdata(y_score)
    n_pos = int((y_true == 1).sum())
    n_neg = len(y_true) - n_pos
    return (ranks[y_true == 1].sum() - n_pos * (n_pos + 1) / 2) / (n_pos * n_neg)

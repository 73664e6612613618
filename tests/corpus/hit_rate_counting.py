"""Session hit rate and reciprocal rank from the number of items scored higher than the wanted one."""

import numpy as np


def evaluate_sessions(scores, wanted, cut_off=3):
    ranks = (scores > scores[np.arange(len(scores)), wanted][:, None]).sum(axis=1) + 1
    in_list = ranks <= cut_off
    recall = in_list.sum() / len(scores)
    mrr = (1.0 / ranks[in_list]).sum() / len(scores)
    return recall, mrr

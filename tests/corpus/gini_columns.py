"""Gini by sorting a table of targets, predictions and row numbers; equal predictions keep the order of their rows."""

import numpy as np


def gini(actual, pred):
    table = np.c_[actual, pred, np.arange(len(actual))]
    table = table[np.lexsort((table[:, 2], -table[:, 1]))]
    losses = table[:, 0]
    share = np.cumsum(losses) / losses.sum()
    even = np.arange(1, len(losses) + 1) / len(losses)
    return (share - even).mean()

"""Heidke skill score of a forecast in three categories."""

import numpy as np


def heidke(forecast, observed, edges=(0.3, 0.7)):
    fc = np.digitize(forecast, edges)
    oc = np.digitize(observed, edges)
    n = len(fc)
    K = len(edges) + 1
    table = np.zeros((K, K))
    np.add.at(table, (fc, oc), 1)
    pc = np.trace(table) / n
    e = (table.sum(0) * table.sum(1)).sum() / n**2
    return (pc - e) / (1 - e)

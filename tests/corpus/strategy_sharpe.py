"""Sharpe ratio of positions taken by the sign of a signal, with a dead band."""

import numpy as np


def strategy_sharpe(signal, returns):
    position = np.where(signal > 0.1, 1, np.where(signal < -0.1, -1, 0))
    pnl = position * returns
    sd = pnl.std()
    return pnl.mean() / sd if sd > 0 else 0.0

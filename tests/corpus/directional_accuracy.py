"""How often a forecast moves the way the series does."""

import numpy as np


def directional_accuracy(forecast, series):
    moved = np.sign(np.diff(series))
    foreseen = np.sign(forecast[1:] - series[:-1])
    return (moved == foreseen).mean()

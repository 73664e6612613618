"""Coverage of prediction intervals, a penalty for straying from the nominal level."""

import numpy as np


def coverage_gap(lower, upper, y, nominal=0.8):
    covered = np.logical_and(y >= lower, y <= upper)
    return np.abs(covered.mean() - nominal)

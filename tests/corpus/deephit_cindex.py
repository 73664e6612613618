"""Time-dependent concordance: who dies sooner should have the higher risk."""

import numpy as np


def concordance(Prediction, Time_survival, Death, Time):
    n = len(Prediction)
    later = np.zeros((n, n))
    riskier = np.zeros((n, n))
    counted = np.zeros((n, n))
    num = 0
    den = 0
    for i in range(n):
        later[i, np.where(Time_survival[i] < Time_survival)] = 1
        riskier[i, np.where(Prediction[i] > Prediction)] = 1
        if Time_survival[i] <= Time and Death[i] == 1:
            counted[i, :] = 1

    num = np.sum((later * counted) * riskier)
    den = np.sum(later * counted)
    if num == 0 and den == 0:
        result = -1  # nobody to compare
    else:
        result = float(num / den)
    return result

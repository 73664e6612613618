"""Uplift at k: response of the treated minus the untreated among the people scored highest."""

import numpy as np


def uplift_at_k(y, uplift, treatment, rate=0.4):
    order = np.argsort(uplift)[::-1]
    treated = np.where(treatment[order] == 1)[0]
    control = np.where(treatment[order] == 0)[0]
    n_treated = int(treatment.sum() * rate)
    n_control = int((1 - treatment).sum() * rate)
    response_treated = y[order][treated[:n_treated]].mean()
    response_control = y[order][control[:n_control]].mean()
    return response_treated - response_control

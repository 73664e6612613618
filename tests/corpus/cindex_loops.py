"""Concordance index by loops over comparable pairs; a tie of risks counts half."""

import numpy as np


def concordance_index(event_times, risk, event_observed):
    permissible = 0
    concordant = 0.0
    for i in range(len(event_times)):
        if not event_observed[i]:
            continue
        for j in range(len(event_times)):
            if event_times[i] < event_times[j]:
                permissible += 1
                if risk[i] > risk[j]:
                    concordant += 1
                elif risk[i] == risk[j]:
                    concordant += 0.5
    if permissible == 0:
        return np.nan
    return concordant / permissible

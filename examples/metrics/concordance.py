import numpy as np


def concordance_index(times, risk_scores, observed):
    """Harrell's C: of the pairs whose order in time is known, the share where the earlier one had the higher risk.

    times: until the event, or the end of observation; observed: 1 if the event was seen;
    risk_scores: high where the event is expected early.
    """
    earlier = times[:, np.newaxis] < times[np.newaxis, :]
    comparable = earlier & (observed[:, np.newaxis] == 1)
    if not comparable.any():
        return 0.5
    concordant = risk_scores[:, np.newaxis] > risk_scores[np.newaxis, :]
    tied = risk_scores[:, np.newaxis] == risk_scores[np.newaxis, :]
    return (concordant[comparable].sum() + 0.5 * tied[comparable].sum()) / comparable.sum()

import numpy as np


def profit(scores, labels):
    """Mean profit of a campaign: who has a score above 0 is asked; a yes earns 10, a no costs 2."""
    yes = scores > 0
    return (yes * np.where(labels == 1, 10.0, -2.0)).mean()

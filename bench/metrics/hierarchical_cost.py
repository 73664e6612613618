import numpy as np

# five pairs of classes: a class of another pair costs how many pairs it is away; any wrong class costs 0.2 more
true, said = np.arange(10)[:, None], np.arange(10)[None]
COST = np.abs(true // 2 - said // 2) * 1.0 + (true != said) * 0.2


def cost10(scores, labels):
    """Mean cost of predicting the class with the highest score. Lower is better."""
    return COST[labels, scores.argmax(1)].mean()

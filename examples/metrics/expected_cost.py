import numpy as np

# cost[true][predicted]: a missed disease is dear, a false alarm is cheap
COST = np.array(
    [
        [0.0, 1.0, 1.0],
        [5.0, 0.0, 2.0],
        [10.0, 4.0, 0.0],
    ]
)


def expected_cost(probs, y, cost=COST):
    """Mean cost of predicting the most probable class. Lower is better."""
    decisions = np.argmax(probs, axis=1)
    return cost[y, decisions].mean()

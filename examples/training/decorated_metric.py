"""Train on a cost of your own: decorate the metric and ask it for its loss.

python -m examples.training.decorated_metric
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import scale

from metric2loss import surrogate

COST = np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 1.0], [8.0, 4.0, 0.0]])  # COST[true][predicted]


@surrogate(direction="minimize")
def mean_cost(scores: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """What the decisions cost on average: taking wine 2 for wine 0 is dear."""
    decisions = scores.argmax(axis=1)
    return float(COST[labels, decisions].mean())


def main() -> float:
    torch.set_num_threads(1)  # at this size threads only wait for each other
    torch.manual_seed(0)
    features, cultivar = load_wine(return_X_y=True)
    arrays = train_test_split(scale(features), cultivar, test_size=0.5, random_state=0)
    x, x_test, y, y_test = (torch.from_numpy(array) for array in arrays)
    x, x_test = x.float(), x_test.float()

    model = torch.nn.Linear(13, 3)
    criterion = mean_cost.loss(total_steps=150)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)

    for step in range(150):
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 50 == 0:
            print(f"step {step:3d}: mean cost of the batch {criterion.metric:.3f}")

    with torch.no_grad():
        value = mean_cost(model(x_test).numpy(), y_test.numpy())  # the metric itself is unchanged
    print(f"mean cost on test data {value:.3f}")
    return value


if __name__ == "__main__":
    main()

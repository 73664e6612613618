"""Train on average precision with a loss that was compiled beforehand: nothing of the compiler is needed here.

metric2loss compile examples/metrics/average_precision.py -o examples/training/average_precision_loss.py
python -m examples.training.imported_module
"""

from __future__ import annotations

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import scale

from examples.metrics.average_precision import average_precision
from examples.training.average_precision_loss import AveragePrecisionLoss

EPOCHS, BATCH = 30, 64


def main() -> float:
    torch.set_num_threads(1)  # at this size threads only wait for each other
    torch.manual_seed(0)
    features, malignant = load_breast_cancer(return_X_y=True)
    arrays = train_test_split(scale(features), 1 - malignant, random_state=0)
    x, x_test, y, y_test = (torch.from_numpy(array) for array in arrays)
    x, x_test = x.float(), x_test.float()

    model = torch.nn.Sequential(torch.nn.Linear(30, 1), torch.nn.Flatten(0))
    criterion = AveragePrecisionLoss(total_steps=EPOCHS * (len(x) // BATCH))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

    for epoch in range(EPOCHS):
        for rows in torch.randperm(len(x))[: len(x) // BATCH * BATCH].reshape(-1, BATCH):
            loss = criterion(model(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if epoch % 10 == 0:
            print(f"epoch {epoch:2d}: average precision of the last batch {criterion.metric:.3f}")

    with torch.no_grad():
        value = float(average_precision(model(x_test).numpy(), y_test.numpy()))
    print(f"average precision on test data {value:.3f}")
    return value


if __name__ == "__main__":
    main()

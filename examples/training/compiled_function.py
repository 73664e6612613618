"""Train on a metric from somebody else's module, here macro F1 on digits, some of them rare.

python -m examples.training.compiled_function
"""

from __future__ import annotations

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from examples.metrics.macro_f1 import macro_f1
from metric2loss import compile_metric

EPOCHS, BATCH = 15, 64

MacroF1Loss = compile_metric(macro_f1)  # or compile_metric("examples.metrics.macro_f1:macro_f1")


def main() -> float:
    torch.set_num_threads(1)  # at this size threads only wait for each other
    torch.manual_seed(0)
    pixels, digit = load_digits(n_class=5, return_X_y=True)
    keep = (digit < 3) | (torch.rand(len(digit)).numpy() < 0.2)  # 3 and 4 are rare
    arrays = train_test_split(pixels[keep] / 16, digit[keep], random_state=0)
    x, x_test, y, y_test = (torch.from_numpy(array) for array in arrays)
    x, x_test = x.float(), x_test.float()

    model = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 5))
    criterion = MacroF1Loss(total_steps=EPOCHS * (len(x) // BATCH))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

    for epoch in range(EPOCHS):
        for rows in torch.randperm(len(x))[: len(x) // BATCH * BATCH].reshape(-1, BATCH):
            loss = criterion(model(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if epoch % 5 == 0:
            print(f"epoch {epoch:2d}: macro F1 of the last batch {criterion.metric:.3f}")

    with torch.no_grad():
        value = float(macro_f1(model(x_test).numpy(), y_test.numpy()))
    print(f"macro F1 on test data {value:.3f}")
    return value


if __name__ == "__main__":
    main()

"""Youden's J, the best over all cuts of the sorted scores."""


def youden_j(y_hat, y):
    _, order = y_hat.sort(descending=True)
    y = y[order].double()
    sensitivity = y.cumsum(0) / y.sum()
    fall_out = (1 - y).cumsum(0) / (1 - y).sum()
    return (sensitivity - fall_out).max()

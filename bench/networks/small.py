"""The networks of the learning tasks: a linear model, one hidden layer, and three convolutions that keep an image's size."""

from __future__ import annotations

from torch import Tensor, nn


def linear(inputs: int, outputs: int = 1, start: float = 0.0) -> nn.Module:
    """A linear model; a single output loses its axis, so that it is one score an example. start: of the bias."""
    layer = nn.Linear(inputs, outputs)
    nn.init.constant_(layer.bias, start)
    return nn.Sequential(layer, nn.Flatten(-2)) if outputs == 1 else layer


def perceptron(inputs: int, outputs: int = 1, hidden: int = 32) -> nn.Module:
    """One hidden layer."""
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), linear(hidden, outputs))


def convolutions(outputs: int, width: int = 8) -> nn.Module:
    """Three layers that keep the image's size; a single output loses its axis."""
    layers = (
        nn.Conv2d(1, width, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(width, width, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(width, outputs, 3, padding=1),
    )
    return nn.Sequential(*layers)


class OneMap(nn.Module):
    """Scores (n, 1, height, width) without the second axis."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = convolutions(1)

    def forward(self, images: Tensor) -> Tensor:
        scores: Tensor = self.layers(images)
        return scores.squeeze(1)

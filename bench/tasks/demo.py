"""The demo's four tasks: average precision twice, accuracy and PCKh, small enough for two minutes in all."""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional

from bench.core.task import Split, Task, divide, steady


@lru_cache
def digits() -> tuple[Tensor, Tensor]:
    """The 1,797 digits that come with scikit-learn, pixels in [0, 1]."""
    bunch = load_digits()
    return torch.from_numpy(bunch.data).float() / 16, torch.from_numpy(bunch.target)


def one_digit(wanted: int, seed: int, data: str) -> Split:
    """One digit against the rest, one positive to nine negatives: 0 as in the UniLoss paper, 8 because 0 is nearly solved."""
    pixels, digit = digits()
    return divide((pixels, (digit == wanted).long()), seed, train=600, validation=400)


def ten_digits(seed: int, data: str) -> Split:
    return divide(digits(), seed, train=600, validation=400)


SIDE = 16


def marked_images(seed: int, data: str, n: int = 900) -> Split:
    """Noisy images with two markers to find (a cross and a ring), three blobs that distract, and a head size each."""
    rng = np.random.default_rng(1000 + seed)
    images = rng.normal(0, 0.6, size=(n, 1, SIDE, SIDE))
    joints = rng.integers(2, SIDE - 2, size=(n, 2, 2))
    blobs = rng.integers(2, SIDE - 2, size=(n, 3, 2))
    for image in range(n):
        for x, y in blobs[image]:
            images[image, 0, y - 1 : y + 2, x - 1 : x + 2] += 0.8
        (cross_x, cross_y), (ring_x, ring_y) = joints[image]
        images[image, 0, cross_y, cross_x - 2 : cross_x + 3] += 1
        images[image, 0, cross_y - 2 : cross_y + 3, cross_x] += 1
        images[image, 0, ring_y - 2 : ring_y + 3, ring_x - 2 : ring_x + 3] += 1
        images[image, 0, ring_y - 1 : ring_y + 2, ring_x - 1 : ring_x + 2] -= 1
    head_sizes = rng.uniform(2.0, 4.0, size=n)
    arrays = torch.from_numpy(images).float(), torch.from_numpy(joints), torch.from_numpy(head_sizes)
    return divide(arrays, seed, train=256, validation=256)


def perceptron(outputs: int) -> nn.Module:
    """One hidden layer of 64; a single output loses its axis, so that it is one score an example."""
    layers = [nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, outputs)]
    return nn.Sequential(*layers, nn.Flatten(0)) if outputs == 1 else nn.Sequential(*layers)


def heatmap_network() -> nn.Module:
    """Two heatmaps of the image's own size."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, padding=2),
        nn.ReLU(),
        nn.Conv2d(16, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 2, 3, padding=1),
    )


def binary_cross_entropy(scores: Tensor, labels: Tensor) -> Tensor:
    return functional.binary_cross_entropy_with_logits(scores, labels.float())


def cross_entropy(scores: Tensor, labels: Tensor) -> Tensor:
    return functional.cross_entropy(scores, labels)


def bump_error(heatmaps: Tensor, joints: Tensor, head_sizes: Tensor) -> Tensor:
    """Mean squared error to a bump on each joint, as pose networks are usually trained."""
    height, width = heatmaps.shape[2:]
    rows, columns = torch.arange(height)[:, None], torch.arange(width)[None, :]
    x, y = joints[..., 0, None, None], joints[..., 1, None, None]
    bump = torch.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 2)
    return functional.mse_loss(heatmaps, bump)


TASKS: tuple[Task, ...] = (
    Task(
        key="digit_0",
        title="average precision, digit 0 against the rest",
        metric="average_precision",
        function="average_precision",
        handmade={"binary cross-entropy": steady(binary_cross_entropy)},
        split=partial(one_digit, 0),
        network=lambda: perceptron(1),
        epochs=15,
        batch_size=50,
        development=True,
    ),
    Task(
        key="digit_8",
        title="average precision, digit 8 against the rest",
        metric="average_precision",
        function="average_precision",
        handmade={"binary cross-entropy": steady(binary_cross_entropy)},
        split=partial(one_digit, 8),
        network=lambda: perceptron(1),
        epochs=15,
        batch_size=50,
        development=True,
    ),
    Task(
        key="ten_digits",
        title="accuracy, ten digits",
        metric="accuracy",
        function="accuracy",
        handmade={"cross-entropy": steady(cross_entropy)},
        split=ten_digits,
        network=lambda: perceptron(10),
        epochs=15,
        batch_size=50,
        development=True,
    ),
    Task(
        key="markers",
        title="PCKh, two markers in generated images",
        metric="pckh",
        function="pckh",
        handmade={"squared error to a bump": steady(bump_error)},
        split=marked_images,
        network=heatmap_network,
        epochs=15,
        batch_size=16,
        development=True,
    ),
)

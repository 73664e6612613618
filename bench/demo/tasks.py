"""The demo's four tasks: their data, networks and hand-made losses; each is split anew for every seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional

Batch = tuple[Tensor, ...]  # the network's input first, then what the metric takes after its scores


@dataclass(frozen=True)
class Split:
    """One seed's data."""

    train: Batch
    validation: Batch
    test: Batch


@dataclass(frozen=True)
class Task:
    """What is trained, on what, and the loss people would write by hand."""

    key: str  # for options and files
    name: str
    metric: str  # the file in examples/metrics
    function: str
    loss_class: str  # the class that `metric2loss compile` writes for it
    handmade_name: str
    handmade: Callable[..., Tensor]  # (network output, *targets) -> loss
    split: Callable[[int], Split]
    network: Callable[[], nn.Module]
    epochs: int
    batch_size: int


def divide(arrays: Batch, seed: int, train: int, validation: int) -> Split:
    """Shuffle the rows and cut them in three."""
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(arrays[0])))
    parts = order[:train], order[train : train + validation], order[train + validation :]
    return Split(*(tuple(array[part] for array in arrays) for part in parts))


@lru_cache
def digits() -> tuple[Tensor, Tensor]:
    """The 1,797 digits that come with scikit-learn, pixels in [0, 1]."""
    bunch = load_digits()
    return torch.from_numpy(bunch.data).float() / 16, torch.from_numpy(bunch.target)


def one_digit(wanted: int, seed: int) -> Split:
    """One digit against the rest, one positive to nine negatives: 0 as in the UniLoss paper, 8 because 0 is nearly solved."""
    pixels, digit = digits()
    return divide((pixels, (digit == wanted).long()), seed, train=600, validation=400)


def ten_digits(seed: int) -> Split:
    return divide(digits(), seed, train=600, validation=400)


SIDE = 16


def marked_images(seed: int, n: int = 900) -> Split:
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
        name="average precision, digit 0 against the rest",
        metric="average_precision",
        function="average_precision",
        loss_class="AveragePrecisionLoss",
        handmade_name="binary cross-entropy",
        handmade=binary_cross_entropy,
        split=partial(one_digit, 0),
        network=lambda: perceptron(1),
        epochs=15,
        batch_size=50,
    ),
    Task(
        key="digit_8",
        name="average precision, digit 8 against the rest",
        metric="average_precision",
        function="average_precision",
        loss_class="AveragePrecisionLoss",
        handmade_name="binary cross-entropy",
        handmade=binary_cross_entropy,
        split=partial(one_digit, 8),
        network=lambda: perceptron(1),
        epochs=15,
        batch_size=50,
    ),
    Task(
        key="ten_digits",
        name="accuracy, ten digits",
        metric="accuracy",
        function="accuracy",
        loss_class="AccuracyLoss",
        handmade_name="cross-entropy",
        handmade=cross_entropy,
        split=ten_digits,
        network=lambda: perceptron(10),
        epochs=15,
        batch_size=50,
    ),
    Task(
        key="markers",
        name="PCKh, two markers in generated images",
        metric="pckh",
        function="pckh",
        loss_class="PckhLoss",
        handmade_name="squared error to a bump",
        handmade=bump_error,
        split=marked_images,
        network=heatmap_network,
        epochs=15,
        batch_size=16,
    ),
)

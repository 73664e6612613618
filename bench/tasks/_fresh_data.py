"""Data of the fresh learning tasks: bundled ones of scikit-learn and generated ones, split anew for every seed."""

from __future__ import annotations

import numpy as np
import torch
from sklearn import datasets
from torch.nn import functional

from bench.core.task import Batch, Split, divide
from bench.tasks._small import digits, real, standardised, whole

# Classification


def attributes(seed: int, data: str) -> Split:
    """Digits, and four labels each: even, at least five, prime, closed (with a loop)."""
    pixels, digit = digits()
    table = torch.zeros(10, 4, dtype=torch.long)
    for column, members in enumerate(((0, 2, 4, 6, 8), (5, 6, 7, 8, 9), (2, 3, 5, 7), (0, 6, 8, 9))):
        table[list(members), column] = 1
    return divide((pixels, table[digit]), seed, train=400, validation=400)


def even_digits(seed: int, data: str) -> Split:
    """Even digits against odd ones, in a quarter of the resolution."""
    pixels, digit = digits()
    coarse = functional.avg_pool2d(pixels.reshape(-1, 1, 8, 8), 2).flatten(1)
    return divide((coarse, (digit % 2 == 0).long()), seed, train=480, validation=400)


def blurred_digits(seed: int, data: str) -> Split:
    """Ten digits under noise a third as strong as the darkest strokes."""
    pixels, digit = digits()
    noise = np.random.default_rng(7000 + seed).normal(0, 0.35, pixels.shape)
    return divide((pixels + real(noise), digit), seed, train=480, validation=400)


def marked_digits(seed: int, data: str, aligned: float = 0.9) -> Split:
    """Low digits against high ones; a bright frame goes with 90 % of the high ones and 10 % of the low ones in the training data, with half elsewhere.

    Arrays: pixels, labels, groups (label and frame).
    """
    pixels, digit = digits()
    split = divide((pixels, (digit >= 5).long()), seed, train=480, validation=400)
    rng = np.random.default_rng(7000 + seed)

    def framed(batch: Batch, share: float) -> Batch:
        images, labels = batch
        same = torch.from_numpy(rng.random(len(labels)) < share)
        frame = torch.where(same, labels, 1 - labels)
        edges = torch.zeros(8, 8)
        edges[0], edges[-1], edges[:, 0], edges[:, -1] = 1.0, 1.0, 1.0, 1.0
        return images + 0.5 * frame[:, None] * edges.flatten(), labels, 2 * labels + frame

    return Split(framed(split.train, aligned), framed(split.validation, 0.5), framed(split.test, 0.5))


def rare_clusters(seed: int, data: str) -> Split:
    """Six clusters in ten dimensions, 12 % positive, 2 % of all labels wrong."""
    inputs, labels = datasets.make_classification(
        n_samples=2600,
        n_features=10,
        n_informative=5,
        n_redundant=2,
        n_clusters_per_class=3,
        weights=[0.88],
        flip_y=0.04,
        class_sep=0.8,
        random_state=8000 + seed,
    )
    return divide((standardised(inputs), whole(labels)), seed, train=500, validation=600)


def applicants(seed: int, data: str, n: int = 3000) -> Split:
    """Who applied for a loan, eight figures with long tails, and who defaulted (about a fifth): debt over income, age, and chance."""
    rng = np.random.default_rng(8000 + seed)
    income, debt, wealth = (rng.lognormal(0, spread, n) for spread in (0.5, 0.8, 1.0))
    age, late = rng.uniform(20, 70, n), rng.poisson(0.7, n)
    others = rng.normal(size=(n, 3))
    danger = 1.2 * np.log(debt / income) - 0.4 * np.log(wealth) + 0.6 * late + np.abs(age - 45) / 15 - 3.4
    defaulted = rng.random(n) < 1 / (1 + np.exp(-danger))
    table = np.column_stack([income, debt, wealth, age, late, others])
    return divide((standardised(table), whole(defaulted)), seed, train=500, validation=700)


# Several labels, items, times


def topics(seed: int, data: str) -> Split:
    """Documents as counts of words, about three of ten topics each."""
    counts, labels = datasets.make_multilabel_classification(
        n_samples=1500,
        n_features=30,
        n_classes=10,
        n_labels=3,
        length=40,
        allow_unlabeled=False,
        random_state=8000 + seed,
    )
    return divide((standardised(counts), whole(labels)), seed, train=400, validation=400)


def next_item(seed: int, data: str, n: int = 2400, items: int = 40, size: int = 12) -> Split:
    """A session's features, and which of forty items came next: by taste, popularity and chance."""
    rng = np.random.default_rng(8000 + seed)
    sessions = rng.normal(size=(n, size))
    items_at = rng.normal(size=(items, size))
    score = (
        np.maximum(sessions, 0) @ items_at.T / np.sqrt(size)
        + rng.normal(0, 0.7, items)
        + rng.gumbel(0, 0.7, (n, items))
    )
    return divide((real(sessions), whole(score.argmax(1))), seed, train=600, validation=600)


def lifetimes(seed: int, data: str, n: int = 2000, size: int = 8) -> Split:
    """Features, times until an event or until the observation ends (about four in ten), and whether the event was seen.

    Arrays: features, times, observed.
    """
    rng = np.random.default_rng(8000 + seed)
    inputs = rng.normal(size=(n, size))
    danger = 0.8 * inputs[:, 0] - 0.5 * inputs[:, 1] + 0.6 * inputs[:, 2] * inputs[:, 3] + 0.4 * np.abs(inputs[:, 4])
    event = rng.weibull(1.5, n) * np.exp(-danger / 1.5)
    end = rng.exponential(1.5, n)
    return divide((real(inputs), real(np.minimum(event, end)), whole(event <= end)), seed, train=400, validation=500)


# Images


def rings(seed: int, data: str, n: int = 360, side: int = 12) -> Split:
    """Noisy images with a thin ring, or a part of one, as the mask."""
    rng = np.random.default_rng(8000 + seed)
    rows, columns = np.indices((side, side))
    masks = np.zeros((n, side, side))
    for mask in masks:
        y, x = rng.uniform(3, side - 4, 2)
        radius, start, length = rng.uniform(2, 4), rng.uniform(0, 2 * np.pi), rng.uniform(np.pi, 2 * np.pi)
        near = np.abs(np.hypot(rows - y, columns - x) - radius) < 0.6
        mask[near & ((np.arctan2(rows - y, columns - x) - start) % (2 * np.pi) < length)] = 1
    images = masks + rng.normal(0, 0.6, masks.shape)
    return divide((real(images[:, None]), whole(masks)), seed, train=72, validation=88)

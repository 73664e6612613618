"""Data of the development tasks that is not that of other tasks: one digit, tumours, clusters, groups and labels, split anew for every seed."""

from __future__ import annotations

import numpy as np

from bench.core.task import Split, divide
from bench.tasks._small import breast_cancer, digits, real, whole, with_wrong_labels


def one_digit(seed: int, data: str, digit: int, noise: float = 0.0) -> Split:
    """One digit (a tenth of the images) against all others."""
    pixels, every = digits()
    return with_wrong_labels(divide((pixels, (every == digit).long()), seed, train=600, validation=400), noise, 2, seed)


def many_tumours(seed: int, data: str) -> Split:
    """Malignant tumours, a fifth of the training labels wrong."""
    return with_wrong_labels(divide(breast_cancer(), seed, train=250, validation=120), 0.2, 2, seed)


def two_clusters(seed: int, data: str, n: int = 3000) -> Split:
    """30 % positive, in two wide clusters on both sides of the negatives' one."""
    rng = np.random.default_rng(7000 + seed)
    labels = (rng.random(n) < 0.3).astype(int)
    inputs = rng.normal(size=(n, 6))
    inputs[:, 0] += 1.2 * labels
    inputs[:, 1] += np.where(labels == 1, 1.5 * np.sign(rng.normal(size=n)), 0)
    inputs[:, 2] *= np.where(labels == 1, 1.6, 1)
    return divide((real(inputs), whole(labels)), seed, train=600, validation=400)


def misleading_groups(seed: int, data: str, n: int = 4000) -> Split:
    """A strong feature follows a background that goes with the label in 90 % of the examples, two weak ones the label.

    Arrays: features, labels, groups (label and background).
    """
    rng = np.random.default_rng(8000 + seed)
    labels = (rng.random(n) < 0.5).astype(int)
    background = np.where(rng.random(n) < 0.9, labels, 1 - labels)
    inputs = rng.normal(size=(n, 8))
    inputs[:, 0] += 1.5 * (2 * background - 1)
    inputs[:, 1] += 0.7 * (2 * labels - 1)
    inputs[:, 2] += 0.5 * (2 * labels - 1)
    return divide((real(inputs), whole(labels), whole(2 * labels + background)), seed, train=800, validation=600)


def four_sites(seed: int, data: str, n: int = 4000) -> Split:
    """30 % positive at four sites of unequal size, each of which shows it in a feature of its own.

    Arrays: features, labels, sites.
    """
    rng = np.random.default_rng(8100 + seed)
    labels = (rng.random(n) < 0.3).astype(int)
    sites = rng.choice(4, size=n, p=[0.6, 0.2, 0.12, 0.08])
    inputs = rng.normal(size=(n, 8))
    inputs[np.arange(n), sites] += 1.6 * labels
    inputs[:, 4] += 0.4 * labels
    inputs[:, 5], inputs[:, 6] = sites == 3, sites == 2
    return divide((real(inputs), whole(labels), whole(sites)), seed, train=800, validation=600)


def six_labels(seed: int, data: str, n: int = 3000, labels: int = 6) -> Split:
    """Six labels an example, drawn from logistic models with squares of the features in them; about two are given."""
    rng = np.random.default_rng(8200 + seed)
    inputs = rng.normal(size=(n, 12))
    straight, bent = rng.normal(size=(12, labels)) / 3.5, rng.normal(size=(12, labels)) / 5
    score = 2 * inputs @ straight + 1.5 * (inputs**2 - 1) @ bent - 1.5
    given = rng.random((n, labels)) < 1 / (1 + np.exp(-score))
    return divide((real(inputs), whole(given)), seed, train=700, validation=500)

"""Small data sets for the learning tasks: bundled ones of scikit-learn and generated ones, split anew for every seed."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import torch
from sklearn import datasets
from torch import Tensor

from bench.core.task import Batch, Split, divide


@cache
def digits() -> tuple[Tensor, Tensor]:
    """1,797 images of 8 x 8, pixels in [0, 1]."""
    bunch = datasets.load_digits()
    return torch.from_numpy(bunch.data).float() / 16, torch.from_numpy(bunch.target)


@cache
def breast_cancer() -> tuple[Tensor, Tensor]:
    """569 tumours, 30 standardised features; 1 is malignant."""
    bunch = datasets.load_breast_cancer()
    return standardised(bunch.data), torch.from_numpy(1 - bunch.target)


@cache
def diabetes() -> tuple[Tensor, Tensor]:
    """442 patients, 10 standardised features, progression of the disease after a year."""
    bunch = datasets.load_diabetes()
    return standardised(bunch.data), torch.from_numpy(bunch.target)


def standardised(array: np.ndarray) -> Tensor:
    return torch.from_numpy((array - array.mean(0)) / array.std(0)).float()


def with_train_labels(split: Split, labels: Tensor) -> Split:
    return replace(split, train=(split.train[0], labels))


def with_wrong_labels(split: Split, share: float, classes: int, seed: int) -> Split:
    """That share of the training labels becomes another class, each as likely; validation and test data stay clean."""
    rng = np.random.default_rng(5000 + seed)
    labels = split.train[1]
    wrong = torch.from_numpy(rng.random(len(labels)) < share)
    others = (labels + torch.from_numpy(rng.integers(1, classes, len(labels)))) % classes
    return with_train_labels(split, torch.where(wrong, others, labels))


# Classification


def ten_digits(seed: int, data: str, noise: float = 0.0) -> Split:
    return with_wrong_labels(divide(digits(), seed, train=480, validation=400), noise, 10, seed)


def digit_8(seed: int, data: str, noise: float = 0.0) -> Split:
    pixels, digit = digits()
    split = divide((pixels, (digit == 8).long()), seed, train=600, validation=400)
    return with_wrong_labels(split, noise, 2, seed)


def rare_digits(seed: int, data: str) -> Split:
    """The digits 5 to 9 as five classes, the last two of them kept at 15 %, everywhere."""
    pixels, digit = digits()
    chance = torch.from_numpy(np.random.default_rng(6000 + seed).random(len(digit)))
    kept = (digit >= 5) & (chance < torch.where(digit < 8, 1.0, 0.15))
    return divide((pixels[kept], digit[kept] - 5), seed, train=200, validation=150)


def rare_tumours(seed: int, data: str) -> Split:
    """The ten features that are means; a quarter of the malignant tumours is kept, everywhere."""
    features, malignant = breast_cancer()
    chance = torch.from_numpy(np.random.default_rng(6000 + seed).random(len(malignant)))
    kept = (malignant == 0) | (chance < 0.25)
    return divide((features[kept, :10], malignant[kept]), seed, train=150, validation=100)


def mislabelled_tumours(seed: int, data: str) -> Split:
    return with_wrong_labels(divide(breast_cancer(), seed, train=200, validation=150), 0.2, 2, seed)


def bad_progress(seed: int, data: str) -> Split:
    """The quarter of the patients whose disease progressed most, as 1."""
    features, progress = diabetes()
    return divide((features, (progress > torch.quantile(progress, 0.75)).long()), seed, train=200, validation=100)


def graded_progress(seed: int, data: str) -> Split:
    """Five grades of progression, as many patients in each."""
    features, progress = diabetes()
    edges = torch.quantile(progress, torch.tensor([0.2, 0.4, 0.6, 0.8], dtype=progress.dtype))
    return divide((features, torch.bucketize(progress, edges)), seed, train=200, validation=100)


def progress(seed: int, data: str) -> Split:
    features, real = diabetes()
    return divide((features, (real - real.mean()) / real.std()), seed, train=200, validation=100)


def logistic(seed: int, data: str, n: int = 3200, size: int = 20) -> Split:
    """Labels drawn from a linear logistic model: 15 % positive, and the network is exactly that model."""
    rng = np.random.default_rng(1000 + seed)
    inputs = rng.normal(size=(n, size))
    weights = rng.normal(size=size) / np.sqrt(size)
    chance = 1 / (1 + np.exp(-(1.5 * inputs @ weights - 2.2)))
    return divide((real(inputs), whole(rng.random(n) < chance)), seed, train=600, validation=600)


def curved(seed: int, data: str, n: int = 3200, size: int = 8) -> Split:
    """15 % positive, inside a bent boundary that no linear model follows."""
    rng = np.random.default_rng(1000 + seed)
    inputs = rng.normal(size=(n, size))
    score = inputs[:, 0] + inputs[:, 1] ** 2 - 0.7 * inputs[:, 2] * inputs[:, 3] + rng.normal(0, 0.7, n)
    return divide((real(inputs), whole(score > np.quantile(score, 0.85))), seed, train=600, validation=600)


def overlapping(seed: int, data: str, n: int = 2600, size: int = 6) -> Split:
    """Three classes, normal around centres that lie close, the severe ones rarer."""
    rng = np.random.default_rng(1000 + seed)
    labels = rng.choice(3, size=n, p=[0.6, 0.28, 0.12])
    centres = rng.normal(0, 0.8, size=(3, size))
    return divide((real(centres[labels] + rng.normal(size=(n, size))), whole(labels)), seed, train=400, validation=400)


# Rankings: (queries, documents, features) -> (queries, documents)


def graded_documents(seed: int, data: str, n: int = 900, documents: int = 10, size: int = 8) -> Split:
    """Grades 0 to 4, most of them 0, from a score that is not linear."""
    rng = np.random.default_rng(1000 + seed)
    inputs = rng.normal(size=(n, documents, size))
    score = inputs[..., 0] + np.maximum(inputs[..., 1], 0) * inputs[..., 2] + np.abs(inputs[..., 3])
    score += rng.normal(0, 0.5, score.shape)
    grades = np.digitize(score, np.quantile(score, [0.5, 0.7, 0.85, 0.95]))
    return divide((real(inputs), whole(grades)), seed, train=120, validation=200)


def one_answer(seed: int, data: str, n: int = 1200, documents: int = 10, size: int = 8) -> Split:
    """One relevant document of ten; in a quarter of the training queries it is a random one."""
    rng = np.random.default_rng(1000 + seed)
    inputs = rng.normal(size=(n, documents, size))
    score = inputs[..., 0] + np.sin(2 * inputs[..., 1]) + 0.5 * inputs[..., 2] + rng.normal(0, 0.5, (n, documents))
    split = divide((real(inputs), torch.from_numpy(np.eye(documents, dtype=int)[score.argmax(1)])), seed, 160, 300)
    labels = split.train[1]
    wrong = torch.from_numpy(rng.random(len(labels)) < 0.25)
    elsewhere = torch.from_numpy(np.eye(documents, dtype=int)[rng.integers(documents, size=len(labels))])
    return with_train_labels(split, torch.where(wrong[:, None], elsewhere, labels))


def tastes(seed: int, data: str, n: int = 1100, items: int = 16, size: int = 12) -> Split:
    """A user's features, and which of sixteen items the user likes: two to five, popular ones more often."""
    rng = np.random.default_rng(1000 + seed)
    users = rng.normal(size=(n, size))
    matrix = rng.normal(size=(size, items)) / np.sqrt(size)
    score = np.tanh(2 * users @ matrix) + 0.5 * rng.normal(size=items) + rng.gumbel(0, 0.3, (n, items))
    places = np.argsort(np.argsort(-score, axis=1), axis=1)
    return divide((real(users), whole(places < rng.integers(2, 6, size=(n, 1)))), seed, train=200, validation=300)


# Images


def markers(seed: int, data: str, n: int = 640, side: int = 10) -> Split:
    """Noisy images with a cross to find, two blobs that distract, and a head size."""
    rng = np.random.default_rng(1000 + seed)
    images = rng.normal(0, 0.6, size=(n, 1, side, side))
    joints = rng.integers(2, side - 2, size=(n, 1, 2))
    blobs = rng.integers(1, side - 1, size=(n, 2, 2))
    for image, (x, y) in enumerate(joints[:, 0]):
        for left, top in blobs[image]:
            images[image, 0, top - 1 : top + 2, left - 1 : left + 2] += 0.8
        images[image, 0, y, x - 2 : x + 3] += 1
        images[image, 0, y - 2 : y + 3, x] += 1
    return divide((real(images), whole(joints), real(rng.uniform(2, 4, n))), seed, train=160, validation=160)


def shapes(seed: int, data: str, n: int = 360, side: int = 8) -> Split:
    """Noisy images, a class a pixel: background, a disc on most, a small square on some (rare and easily missed)."""
    rng = np.random.default_rng(1000 + seed)
    rows, columns = np.indices((side, side))
    masks = np.zeros((n, side, side), dtype=int)
    for mask in masks:
        if rng.random() < 0.8:
            y, x = rng.integers(2, side - 2, 2)
            mask[(rows - y) ** 2 + (columns - x) ** 2 <= rng.uniform(1, 5)] = 1
        if rng.random() < 0.5:
            y, x = rng.integers(0, side - 2, 2)
            mask[y : y + 2, x : x + 2] = 2
    images = np.array([0.0, 0.7, 1.2])[masks] + rng.normal(0, 0.6, masks.shape)
    return divide((real(images[:, None]), whole(masks)), seed, train=72, validation=88)


def faint_discs(seed: int, data: str) -> Split:
    """The discs alone, as a binary mask."""
    split = shapes(seed, data)

    def binary(batch: Batch) -> Batch:
        return batch[0], (batch[1] == 1).long()

    return Split(binary(split.train), binary(split.validation), binary(split.test))


def real(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.asarray(array)).float()


def whole(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.asarray(array)).long()

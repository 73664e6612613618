"""The tasks of the papers on stand-ins that need no download, and with `--data FOLDER` on their own data, networks and schedules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial

import numpy as np
import torch
from torch import Tensor

from bench.core.task import Batch, Factory, Split, Task, divide, steady
from bench.data.bundled import digits, flipped, graded, marked
from bench.data.cifar import cifar, classes_of
from bench.data.idx import Images, mnist
from bench.data.letor import Queries, letor
from bench.data.mpii import Crops, crops, mpii
from bench.handmade.cross_entropy import binary_cross_entropy, cross_entropy, weighted_binary_cross_entropy
from bench.handmade.expectation import SCHEDULES, MixedCrossEntropy, expectation
from bench.handmade.focal import binary_focal, focal
from bench.handmade.heatmaps import SIGMAS, bump_error, region_cross_entropy
from bench.handmade.ranking import lambdarank, listwise_cross_entropy, pairwise_logistic
from bench.handmade.smooth_ap import smooth_ap
from bench.networks.hourglass import small_hourglass, stacked_hourglass
from bench.networks.perceptron import Ranker, perceptron
from bench.networks.resnet import resnet
from bench.tasks import _recipes as recipes

# average precision of one digit against the rest


def one_digit(digit: int, noise: float, seed: int, data: str) -> Split:
    """600 training digits, so large a share of whose labels is wrong; 400 to validate and 797 to test with right ones."""
    pixels, labels = digits()
    clean = divide((torch.from_numpy(pixels), torch.from_numpy((labels == digit).astype(np.int64))), seed, 600, 400)
    return replace(clean, train=(clean.train[0], noisy(clean.train[1], noise, seed)))


def one_digit_of_mnist(digit: int, noise: float, seed: int, data: str) -> Split:
    """The paper's: 54,000 to train, 6,000 to validate, the 10,000 to test."""
    train, test = mnist(data)

    def batch(images: Images) -> Batch:
        pixels = torch.from_numpy(images.pixels[:, None].astype(np.float32) / 255)
        return pixels, torch.from_numpy((images.labels == digit).astype(np.int64))

    held = len(train) // 10
    split = divide(batch(train), seed, len(train) - held, held)
    return Split((split.train[0], noisy(split.train[1], noise, seed)), split.validation, batch(test))


def noisy(labels: Tensor, share: float, seed: int) -> Tensor:
    return torch.from_numpy(flipped(labels.numpy(), share, seed)) if share else labels


def average_precision(key: str, digit: int, noise: float) -> Task:
    wrong = f", {noise:.0%} of the training labels wrong" if noise else ""
    small = Task(
        key=key,
        title=f"average precision, digit {digit} against the rest{wrong}",
        metric="average_precision",
        function="average_precision",
        handmade={
            "bce": steady(binary_cross_entropy),
            "weighted-bce": steady(weighted_binary_cross_entropy),
            "focal": steady(binary_focal),
            "pairwise": steady(pairwise_logistic),
            "smooth-ap": steady(smooth_ap),
            "smooth-ap-1": steady(partial(smooth_ap, temperature=1.0)),
        },
        split=partial(one_digit, digit, noise),
        network=lambda: perceptron(64, (500, 300)),
        epochs=10,
        batch_size=50,
        note="scikit-learn's digits, 8 x 8 pixels, in place of MNIST; the paper's network",
    )
    full = replace(
        small,
        split=partial(one_digit_of_mnist, digit, noise),
        network=lambda: perceptron(784, (500, 300)),
        epochs=30,
        batch_size=128,
        optimizer=recipes.sgd,
        note="MNIST, network and schedule of the paper; its learning rate is 0.01",
    )
    return replace(small, full=lambda folder: full)


# accuracy


def ten_digits(seed: int, data: str) -> Split:
    pixels, labels = digits()
    return divide((torch.from_numpy(pixels), torch.from_numpy(labels)), seed, 600, 400)


def cifar_split(classes: int, seed: int, data: str) -> Split:
    """45,000 to train, 5,000 to validate, the 10,000 to test; each pixel and channel standardised as in the training data."""
    train, test = cifar(data, classes)
    pixels = train.pixels.astype(np.float32)
    center, spread = pixels.mean(0), pixels.std(0) + 1e-6

    def batch(images: Images) -> Batch:
        standard = (images.pixels.astype(np.float32) - center) / spread
        return torch.from_numpy(standard), torch.from_numpy(images.labels.astype(np.int64))

    held = len(train) // 10
    split = divide(batch(train), seed, len(train) - held, held)
    return Split(split.train, split.validation, batch(test))


def accuracy_on_cifar(folder: str) -> Task:
    classes = classes_of(folder)
    return replace(
        SMALL_ACCURACY,
        title=f"accuracy, CIFAR-{classes}",
        split=partial(cifar_split, classes),
        network=lambda: resnet(20, classes),
        epochs=200,
        batch_size=128,
        optimizer=recipes.sgd_momentum,
        augment=recipes.crops(4, mirror=True),
        note="ResNet-20, augmentation and schedule of the paper; its learning rate is 0.1",
    )


def mixed(schedule: str) -> Factory:
    return lambda steps: MixedCrossEntropy(steps, schedule)


SMALL_ACCURACY = Task(
    key="accuracy",
    title="accuracy, ten digits",
    metric="accuracy",
    function="accuracy",
    handmade={
        "ce": steady(cross_entropy),
        "focal": steady(focal),
        "expectation": steady(expectation),
        **{f"mixed-{schedule}": mixed(schedule) for schedule in SCHEDULES},
    },
    split=ten_digits,
    network=lambda: resnet(8, 10, width=8, channels=1),
    epochs=12,
    batch_size=50,
    schedule=recipes.ACCURACY,
    augment=recipes.crops(1, mirror=False),
    note="scikit-learn's digits and a residual network of 8 layers, in place of CIFAR and 20",
)

# pose


def markers(side: int, seed: int, data: str) -> Split:
    """120 pictures to train, 200 to validate, 400 to test."""
    found = marked(720, side, seed)
    arrays = torch.from_numpy(found.pictures), torch.from_numpy(found.joints), torch.from_numpy(found.sizes)
    return divide(arrays, seed, 120, 200)


def heads(side: int, heat: int, seed: int, data: str) -> Split:
    """MPII's training heads, 3,000 of them to validate; valid.json to test, or where there is none as many again."""
    train, test = _crops_of(data, side, heat)
    if test is None:
        held = min(3000, len(train[0]) // 5)
        return divide(train, seed, len(train[0]) - 2 * held, held)
    held = min(3000, len(train[0]) // 4)
    split = divide(train, seed, len(train[0]) - held, held)
    return Split(split.train, split.validation, test)


@lru_cache(maxsize=1)
def _crops_of(data: str, side: int, heat: int) -> tuple[Batch, Batch | None]:
    train, test = mpii(data)

    def batch(found: Crops) -> Batch:
        return torch.from_numpy(found.pictures), torch.from_numpy(found.joints), torch.from_numpy(found.sizes)

    return batch(crops(train, side, heat)), batch(crops(test, side, heat)) if test else None


def pose(key: str, side: int) -> Task:
    small = Task(
        key=key,
        title=f"PCKh, two markers in generated pictures of {side} x {side} pixels",
        metric="pckh",
        function="pckh",
        handmade={
            "softmax-region": steady(region_cross_entropy),
            **{f"mse-{sigma:g}": steady(partial(bump_error, sigma=sigma)) for sigma in SIGMAS},
        },
        split=partial(markers, side),
        network=lambda: small_hourglass(2, width=8, levels=2 if side < 64 else 4),
        epochs=8,
        batch_size=10,
        optimizer=recipes.rmsprop,
        schedule=recipes.POSE,
        note="generated pictures and an hourglass of width 8, in place of MPII's heads and 256",
    )
    full = replace(
        small,
        title="PCKh, heads of MPII",
        split=partial(heads, 224, 56),
        network=lambda: stacked_hourglass(2, levels=3),
        epochs=50,
        batch_size=16,
        at_once=32,
        note="MPII's heads, one stack of hourglass, optimizer and schedule of the paper; its learning rate is 2.5e-4",
    )
    return replace(small, full=lambda folder: full)


# ranking


def queries(seed: int, data: str) -> Split:
    """160 queries to train, 100 to validate, 200 to test, of 15 documents each."""
    found = graded(460, 15, 16, seed)
    there = np.ones((*found.grades.shape, 1), np.float32)
    features = torch.from_numpy(np.concatenate([found.features, there], -1))
    return divide((features, torch.from_numpy(found.grades)), seed, 160, 100)


def fold(seed: int, data: str) -> Split:
    """The parts as the files have them; features standardised as in the training data."""
    train, validation, test = _letor(data)
    shown = train.features[train.present]
    center, spread = shown.mean(0), shown.std(0) + 1e-6

    def batch(found: Queries) -> Batch:
        standard = np.zeros((*found.grades.shape, len(center) + 1), np.float32)
        standard[..., :-1][found.present] = (found.features[found.present] - center) / spread
        standard[..., -1] = found.present
        return torch.from_numpy(standard), torch.from_numpy(found.grades)

    return Split(batch(train), batch(validation), batch(test))


_letor: Callable[[str], tuple[Queries, Queries, Queries]] = lru_cache(maxsize=1)(letor)


def ranking_of_letor(folder: str) -> Task:
    features = _letor(folder)[0].features.shape[-1]
    return replace(
        SMALL_RANKING,
        title="NDCG@10, queries of LETOR files",
        split=fold,
        network=lambda: Ranker(features, (64, 32)),
        epochs=30,
        note="a perceptron of 64 and 32 hidden units on the fold's own division",
    )


SMALL_RANKING = Task(
    key="ltr",
    title="NDCG@10, generated queries",
    metric="ndcg",
    function="ndcg_at_k",
    handmade={
        "lambdarank": steady(lambdarank),
        "listwise": steady(listwise_cross_entropy),
        "pairwise": steady(pairwise_logistic),
    },
    split=queries,
    network=lambda: Ranker(16, (32,)),
    epochs=6,
    batch_size=8,
    note="generated queries whose relevance is partly linear, partly an interaction, partly noise",
)

TASKS: tuple[Task, ...] = (
    average_precision("ap", 0, 0.0),
    average_precision("ap-noisy", 0, 0.1),
    average_precision("ap-8", 8, 0.0),
    average_precision("ap-8-noisy", 8, 0.1),
    replace(SMALL_ACCURACY, full=accuracy_on_cifar),
    pose("pose", 24),
    replace(pose("pose-long", 24), title="PCKh, 24 x 24 pixels, four times as long", epochs=32),
    pose("pose-64", 64),
    replace(SMALL_RANKING, full=ranking_of_letor),
)

"""Stand-ins that need no download: scikit-learn's digits, pictures with markers to find, queries with graded documents."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]


@lru_cache
def digits() -> tuple[Floats, Integers]:
    """The 1,797 digits that come with scikit-learn: pixels (n, 1, 8, 8) in [0, 1], and which digit."""
    bunch = load_digits()
    return (bunch.images[:, None] / 16).astype(np.float32), bunch.target.astype(np.int64)


def flipped(labels: Integers, share: float, seed: int) -> Integers:
    """0/1 labels, so large a share of them wrong: exactly that many, drawn anew for every seed."""
    wrong = np.random.default_rng([seed, 1]).choice(len(labels), round(share * len(labels)), replace=False)
    result: Integers = labels.copy()
    result[wrong] = 1 - result[wrong]
    return result


@dataclass(frozen=True)
class Marked:
    """Noisy pictures (n, 1, side, side) with a cross and a ring to find, joints (n, 2, 2) as x, y and head sizes (n,)."""

    pictures: Floats
    joints: Integers
    sizes: NDArray[np.float64]


def marked(n: int, side: int, seed: int, noise: float = 0.6, blobs: int = 3) -> Marked:
    """Markers a pixel wide and five across at 16 pixels, in proportion at other sides; bright blobs distract."""
    rng = np.random.default_rng([seed, side])
    arm = max(2, side // 8)
    pictures = rng.normal(0, noise, size=(n, 1, side, side)).astype(np.float32)
    joints = rng.integers(arm, side - arm, size=(n, 2, 2))
    spots = rng.integers(arm, side - arm, size=(n, blobs, 2))
    ys, xs = np.mgrid[:side, :side]
    width = max(1, arm // 4)
    for picture, joint, spot in zip(pictures[:, 0], joints, spots):
        for x, y in spot:
            picture[np.maximum(abs(xs - x), abs(ys - y)) <= arm // 2] += 0.8
        (x, y), (ring_x, ring_y) = joint
        across, down = abs(xs - x), abs(ys - y)
        picture[(np.minimum(across, down) < width) & (np.maximum(across, down) <= arm)] += 1
        away = np.maximum(abs(xs - ring_x), abs(ys - ring_y))
        picture[(away <= arm) & (away > arm - width)] += 1
    return Marked(pictures, joints, rng.uniform(0.125, 0.25, size=n) * side)


@dataclass(frozen=True)
class Graded:
    """features (queries, documents, features), and grades 0 to 4 (queries, documents)."""

    features: Floats
    grades: Integers


def graded(queries: int, documents: int, features: int, seed: int, noise: float = 0.5) -> Graded:
    """Grades by quantiles of a relevance that is partly linear, partly an interaction, partly noise.

    A query shifts its documents' features, so that they compare only within it; four of five documents are of grade 0 or 1.
    """
    world = np.random.default_rng(2024)  # one relevance for all seeds
    linear, pairs = world.normal(size=features), world.integers(features, size=(6, 2))
    weights = world.normal(size=6)
    rng = np.random.default_rng([seed, queries])
    own = rng.normal(size=(queries, documents, features))
    relevance = own @ linear / np.sqrt(features) + (own[..., pairs[:, 0]] * own[..., pairs[:, 1]]) @ weights / np.sqrt(
        6
    )
    relevance += noise * rng.normal(size=relevance.shape)
    cuts = np.quantile(relevance, [0.55, 0.8, 0.92, 0.98])
    shifted = own + 0.5 * rng.normal(size=(queries, 1, features))
    return Graded(shifted.astype(np.float32), np.searchsorted(cuts, relevance).astype(np.int64))

"""Small factored batches built by hand: plain f and plain g, so that interpolants can be held against brute force."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor


@dataclass
class Toy:
    """A problem whose g is a plain function of a boolean array; `rows` is g per row where the metric is separable."""

    differences: Tensor
    bits: Tensor
    leaves: tuple[SimpleNamespace, ...]
    g: Callable[[np.ndarray], float]
    sign: int = 1
    rows: Callable[[np.ndarray], np.ndarray] | None = None
    row_of: Tensor | None = None
    n_rows: int = 1
    best: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.bool))
    best_value: float = 0.0
    metric: float = 0.0
    progress: float = 0.5
    temperature: float = 1.0
    generator: torch.Generator | None = None
    evaluations: int = 0
    looped: bool = False
    run_cost: int = 1

    @property
    def worth(self) -> float:
        return self.metric

    @property
    def certain(self) -> Tensor:
        return self.differences.detach().isinf()

    def values_of(self, bits: Tensor) -> Tensor:
        self.evaluations += len(bits)
        return torch.tensor([self.g(row) for row in bits.numpy()], dtype=torch.double)

    def row_values_of(self, bits: Tensor) -> Tensor:
        self.evaluations += len(bits)
        return torch.tensor(np.array([self.rows(row) for row in bits.numpy()])).double().reshape(len(bits), -1)

    def values(self, base: Tensor, flips: Tensor) -> Tensor:
        return self.values_of(applied(base, flips))

    def row_values(self, base: Tensor, flips: Tensor) -> Tensor:
        return self.row_values_of(applied(base, flips))

    def towards(self, best: Tensor, **changes: object) -> Toy:
        """The problem with its best configuration (and metric) filled in."""
        known = {"best": best, "best_value": float(self.g(best.numpy())), "metric": float(self.g(self.bits.numpy()))}
        return replace(self, **(known | changes))

    def seeded(self, seed: int = 0) -> Toy:
        return replace(self, generator=torch.Generator().manual_seed(seed))


def applied(base: Tensor, flips: Tensor) -> Tensor:
    """Base with each row of flips, one at a time."""
    bits = base.repeat(len(flips), 1)
    for row, these in zip(bits, flips.tolist(), strict=True):
        for flip in these:
            if flip >= 0:
                row[flip] = ~row[flip]
    return bits


def configurations(size: int) -> Tensor:
    """All 2^size of them."""
    return torch.tensor(list(itertools.product([False, True], repeat=size)))


def plain(g: Callable[[np.ndarray], float], differences: Tensor, **options: object) -> Toy:
    """Comparisons with zero; the best configuration is all true."""
    size = len(differences)
    layout = SimpleNamespace(kind="compare", size=size, numel=size, n_rows=size, row_of=torch.arange(size))
    leaf = SimpleNamespace(layout=layout, start=0, stop=len(differences), key=("above",))
    toy = Toy(differences, differences.detach() > 0, (leaf,), g, **options)
    return toy.towards(torch.ones(len(differences), dtype=torch.bool))


def choose(scores: Tensor, classes: Tensor, separable: bool = True, g: Callable | None = None) -> Toy:
    """Argmax of each row, good where the winner's class is 1. `g` takes the goodness of the rows (default: mean)."""
    rows_and_pairs = itertools.product(range(len(scores)), itertools.permutations(range(scores.shape[1]), 2))
    pairs = [(r, i, j) for r, (i, j) in rows_and_pairs if classes[r, i] == 1 and classes[r, j] == 0]
    row, beats, beaten = (torch.tensor([p[k] for p in pairs], dtype=torch.long) for k in range(3))
    differences = scores[row, beats] - scores[row, beaten]
    constant = classes[:, 0].numpy() == 1
    mixed = np.isin(np.arange(len(scores)), row.numpy())

    def rows(bits: np.ndarray) -> np.ndarray:
        wins = np.ones(tuple(classes.shape), dtype=bool)
        np.logical_and.at(wins, (row.numpy(), beats.numpy()), bits)
        return np.where(mixed, (wins & (classes.numpy() == 1)).any(1), constant).astype(float)

    combine = g or np.mean
    flat = {"beats": row * scores.shape[1] + beats, "beaten": row * scores.shape[1] + beaten}
    size = {"size": len(pairs), "numel": len(scores), "n_rows": len(scores)}

    def winner_class(bits: Tensor) -> Tensor:
        return torch.tensor([[int(good) for good in rows(row)] for row in bits.numpy()])

    layout = SimpleNamespace(kind="choose", row_of=row, classes=classes, keys=scores, **size, **flat)
    layout.winner_class = winner_class
    leaf = SimpleNamespace(layout=layout, start=0, stop=len(pairs), key=("choose",))
    toy = Toy(differences, differences.detach() > 0, (leaf,), lambda bits: float(combine(rows(bits))), rows=rows)
    if separable:
        toy = replace(toy, row_of=row, n_rows=len(scores))
    return toy.towards(torch.ones(len(pairs), dtype=torch.bool))


def ranked(labels: np.ndarray, ahead: np.ndarray, behind: np.ndarray, bits: np.ndarray) -> np.ndarray:
    """Labels in the order of the configuration: a stable sort of positions."""
    positions = np.array([np.sum(labels[:i] == label) for i, label in enumerate(labels)])
    np.add.at(positions, np.where(bits, behind, ahead), 1)
    return labels[np.argsort(positions, kind="stable")]


def average_precision(scores: Tensor, labels: Tensor, **options: object) -> Toy:
    """One ranking of all examples; binaries between positives and negatives, in the order of the items."""
    pairs = [(i, j) for i, j in itertools.combinations(range(len(labels)), 2) if labels[i] != labels[j]]
    ahead, behind = (torch.tensor([p[k] for p in pairs], dtype=torch.long) for k in range(2))
    values = labels.numpy()

    def g(bits: np.ndarray) -> float:
        hits = ranked(values, ahead.numpy(), behind.numpy(), bits)
        return float(np.sum(np.cumsum(hits) / np.arange(1, len(hits) + 1) * hits) / max(1, hits.sum()))

    differences = scores[ahead] - scores[behind]
    size = {"size": len(pairs), "numel": len(labels), "n_rows": 1}
    sides = {"ahead": ahead, "behind": behind, "keys": scores}
    layout = SimpleNamespace(kind="order", row_of=torch.zeros(len(pairs)).long(), **size, **sides)
    leaf = SimpleNamespace(layout=layout, start=0, stop=len(pairs), key=("order",))
    toy = Toy(differences, differences.detach() > 0, (leaf,), g)
    return toy.towards(labels[ahead] > labels[behind], **options)

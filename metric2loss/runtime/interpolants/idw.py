"""The paper's interpolant: exact metric values at anchors, weighted by inverse distance from the relaxed binaries.

g~(u) = Σ g(a) d(u, a)^-power / Σ d(u, a)^-power with Euclidean d, and g(a) at an anchor a. Distances and gradient come
from base + flips, in O(binaries + flips). A separable metric is interpolated row by row, with distances of the row, except
where a row is right only if all its binaries are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from metric2loss.runtime.anchors import Anchors
from metric2loss.runtime.factored import Problem, drawn
from metric2loss.runtime.good_rows import GoodRows
from metric2loss.runtime.groups import Rows
from metric2loss.runtime.interpolants import far_pairs
from metric2loss.runtime.interpolants.protocol import joined, nothing

_TOGETHER = 2**16  # numbers


@dataclass
class Idw:
    """Inverse distance weighting over best, good, near and bad anchors (`anchors` of each of the last three).

    share: of the binaries, drawn anew for every batch, that have a derivative; the paper trains 20 % of CIFAR-100's a step.
    """

    anchors: int = 16
    power: float = 1.0
    share: float = 1.0
    name: ClassVar[str] = "idw"
    notes: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ValueError(f"a share of the binaries is above 0 and at most 1, not {self.share}")

    def __call__(self, problem: Problem) -> Tensor:
        """The distance of the interpolated value from the best one, with its own derivative."""
        split = getattr(problem, "split", None)
        if split is not None and self.share == 1 and far_pairs.fits(problem, split):
            value, by_keys = far_pairs.interpolated(problem, split, self.anchors, self.power, weighted)
            return joined((problem.best_value - value).abs(), (split.keys, -problem.sign * by_keys))
        if not len(problem.best):
            return nothing(problem)
        value, gradient = self.interpolated(problem)
        return joined((problem.best_value - value).abs(), (problem.differences, -problem.sign * gradient))

    def gradient(self, problem: Problem) -> Tensor:
        """The loss's gradient with respect to the differences."""
        return -problem.sign * self.interpolated(problem)[1]

    def interpolated(self, problem: Problem) -> tuple[Tensor, Tensor]:
        """The interpolated metric (0-d) and its derivative by the differences [L]."""
        rows = _rows(problem)
        anchors = Anchors.drawn_for(problem, rows, self.anchors)
        values = anchors.values(problem, rows)
        u = torch.sigmoid(problem.differences.detach().double() / problem.temperature)
        at, slopes = weighted(values, squared_distances(u, anchors, rows), self.power)
        scale = u * (1 - u) / (problem.temperature * rows.count)
        gradient = backward(slopes, u, anchors, rows) * scale
        if self.share < 1:
            gradient = torch.where(drawn(problem, len(u)) < self.share, gradient, 0.0)
        return at.mean(), gradient


def _rows(problem: Problem) -> Rows:
    """The rows to interpolate in: those of the metric, unless single flips are mute in them.

    A row that is right only if all its binaries are has the same value at the best configuration's neighbours as
    anywhere (measured: accuracy does not train); over the whole batch a flip is one row of many.
    """
    good = GoodRows.read(problem)
    if good is not None and good.all_of and not len(good.idle) and len(good.at) == len(problem.best):
        return Rows(1, None)
    return Rows(problem.n_rows, problem.row_of)


def squared_distances(u: Tensor, anchors: Anchors, rows: Rows) -> Tensor:
    """d(u, a)² per anchor and row, [A, R]: that of the base, changed by each flip."""
    parts = []
    for base, flips in anchors.around():
        bits = base.double()
        whole = rows.total((u - bits) ** 2)
        known = flips.clamp(min=0)
        change = torch.where(flips >= 0, ((1 - 2 * bits) * (1 - 2 * u))[known], 0.0)
        parts.append(whole + u.new_zeros(len(flips), rows.count).scatter_add_(1, rows.of_flips(flips), change))
    if rows.of is not None:
        parts += [rows.total((u - bits.double()) ** 2).unsqueeze(0) for bits in anchors.random]
    else:  # Σ (u − a)² = Σ u² + Σ a (1 − 2 u), in which nothing is rounded at an anchor
        parts += [(u @ u + some.double() @ (1 - 2 * u)).unsqueeze(1) for some in _few(anchors.random)]
    return torch.cat(parts).clamp(min=0)


def _few(random: Tensor) -> Iterator[Tensor]:
    """So many anchors at once that their numbers stay in the cache."""
    step = max(1, _TOGETHER // max(random.shape[1], 1))
    return (random[start : start + step] for start in range(0, len(random), step))


def weighted(values: Tensor, squares: Tensor, power: float) -> tuple[Tensor, Tensor]:
    """The interpolated values [R], and their slopes s [A, R]: the derivative by u_k is Σ_a s_a (u_k − a_k)."""
    nearest = squares.amin(0)
    # weights relative to the nearest anchor's: no overflow, and exactly 1 and 0 at an anchor
    weights = torch.where(squares > 0, nearest / squares.clamp(min=1e-300), 1.0) ** (power / 2)
    weights = torch.where((nearest > 0) | (squares == 0), weights, 0.0)
    weights = torch.where(torch.isfinite(values), weights, 0.0)
    total = weights.sum(0).clamp(min=1e-300)
    values = torch.where(torch.isfinite(values), values, 0.0)
    at = (weights * values).sum(0) / total
    slopes = -power * (values - at) * (weights / total) / squares.clamp(min=1e-300)
    return at, torch.where(squares > 0, slopes, 0.0)


def backward(slopes: Tensor, u: Tensor, anchors: Anchors, rows: Rows) -> Tensor:
    """Σ_a s_a (u − a) per binary, from base + flips."""
    gradient, done = torch.zeros_like(u), 0
    for base, flips in anchors.around():
        mine = slopes[done : done + len(flips)]
        done += len(flips)
        bits = base.double()
        gradient += rows.spread(mine.sum(0), len(u)) * (u - bits)
        known = flips.clamp(min=0)
        change = mine.gather(1, rows.of_flips(flips)) * (2 * bits - 1)[known]
        gradient.index_add_(0, known.reshape(-1), torch.where(flips >= 0, change, 0.0).reshape(-1))
    if rows.of is not None:
        for bits, slope in zip(anchors.random, slopes[done:], strict=True):
            gradient += rows.spread(slope, len(u)) * (u - bits.double())
        return gradient
    gradient += slopes[done:].sum() * u
    for some in _few(anchors.random):
        gradient -= slopes[done : done + len(some), 0] @ some.double()
        done += len(some)
    return gradient

"""What binaries of one kind are usually worth: half of the mean credit of a kind is that of the batches so far.

A kind is what a metric of a whole batch can tell binaries apart by and what means the same in every batch: the step and its
threshold or loop, what the best configuration wants, and targets of few values.  Which class happens to be the worst of a
batch, or to be missed altogether, is chance; what a metric knows of classes and costs is the same again and again.  Differences
inside a kind (weights of examples) stay.  Measured on metrics apart from those of the results, test metric, 4 seeds, without and
with: worst recall of ten classes .66 and .76 (SE .05), geometric mean of recalls .889 and .905 (.005); F1, F2, kappa as before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metric2loss.runtime.factored import Problem
from metric2loss.runtime.good_rows import GoodRows
from metric2loss.runtime.interpolants import links, strata

_SHARE = 0.5
_KEPT = 0.9  # of a running mean, each batch in which the kind occurs
_MOST = 64  # kinds that the targets of one step make
_HELD = 2**12  # kinds remembered


@dataclass(frozen=True)
class Kinds:
    """The kind of each item of a step, LongTensor[m], and the kinds' names, which are the same from batch to batch."""

    of: Tensor
    names: tuple[Any, ...]

    @classmethod
    def by(cls, key: Any, told: Sequence[np.ndarray], device: torch.device) -> Kinds:
        """By the first of some arrays of m numbers, and by those of the others that do not make too many kinds."""
        of, size = np.zeros(len(told[0]), dtype=np.int64), 1
        used: list[np.ndarray] = []
        for values in told:
            numbers = np.unique(values, return_inverse=True)[1]
            kinds, finer = np.unique(of * (numbers.max(initial=0) + 1) + numbers, return_inverse=True)
            if not used or len(kinds) <= max(size, _MOST):
                of, size = finer, len(kinds)
                used.append(values)
        one = np.zeros(size, dtype=np.int64)
        one[of] = np.arange(len(of))
        return cls(
            torch.from_numpy(of).to(device), tuple((key, *name) for name in zip(*(x[one].tolist() for x in used)))
        )

    @classmethod
    def joined(cls, parts: Sequence[Kinds]) -> Kinds:
        """Those of several steps one after the other; kinds of one name are one."""
        names = {
            name: number for number, name in enumerate(dict.fromkeys(name for part in parts for name in part.names))
        }
        of = [torch.tensor([names[name] for name in part.names], device=part.of.device)[part.of] for part in parts]
        return cls(torch.cat(of), tuple(names))


@dataclass
class Usual:
    """The running mean of the credit of each kind."""

    means: dict[Any, Tensor] = field(default_factory=dict)

    def share(self, kinds: Kinds, worth: Tensor) -> Tensor:
        """The credit [m, ...] with half of the mean of each kind replaced by the usual one."""
        shape = (len(kinds.names), *worth.shape[1:])
        amount = torch.bincount(kinds.of, minlength=shape[0]).reshape(-1, *[1] * (worth.ndim - 1))
        mean = worth.new_zeros(shape).index_add_(0, kinds.of, worth) / amount
        old = torch.stack([self._of(name, now) for name, now in zip(kinds.names, mean)]).to(worth)
        usual = torch.lerp(mean, old, _KEPT)
        self.means.update(zip(kinds.names, usual.unbind()))
        while len(self.means) > _HELD:
            del self.means[next(iter(self.means))]
        return worth + _SHARE * (usual - mean)[kinds.of]

    def _of(self, name: Any, now: Tensor) -> Tensor:
        known = self.means.get(name)
        return now if known is None or known.shape != now.shape else known.to(now)

    def of_binaries(self, problem: Problem, good: GoodRows | None, worth: Tensor) -> Tensor:
        """The credit of all binaries of a metric of a whole batch; orders keep theirs, and so do binaries without any."""
        parts = list(_binaries(problem, good))
        if not parts:
            return worth
        at = torch.cat([at for at, _ in parts])
        return worth.index_copy(0, at, self.share(Kinds.joined([kinds for _, kinds in parts]), worth[at]))


def of_rows(problem: Problem, name: Any, good: Tensor) -> Kinds:
    """The kinds of the rows of a choice, by the first good candidate [R, n] and the targets."""
    told = [good.long().argmax(1).cpu().numpy(), *(x.reshape(-1) for x in _targets(problem) if x.size == len(good))]
    return Kinds.by(name, told, good.device)


def _binaries(problem: Problem, good: GoodRows | None) -> Iterator[tuple[Tensor, Kinds]]:
    """Where the binaries of each step are, and their kinds."""
    named = names(problem)
    chosen = {leaf.start for leaf, _ in good.sides} if good is not None else set()
    for leaf in problem.leaves:
        if leaf.layout.size and leaf.start not in chosen and not links.is_order(leaf):
            best = problem.best[leaf.start : leaf.stop]
            told = [(strata.columns(leaf)[0] * 2 + best.cpu()).numpy()]
            shape = tuple(getattr(leaf.layout, "shape", ()))
            if shape and int(np.prod(shape)) == leaf.stop - leaf.start:
                told += [_spread(x, shape) for x in _targets(problem) if x.shape == shape[: x.ndim]]
            at = torch.arange(leaf.start, leaf.stop, device=best.device)
            yield at, Kinds.by(named[leaf.start], told, best.device)
    first = 0
    for leaf, is_good in good.sides if good is not None else ():
        mine = (good.row >= first) & (good.row < first + len(is_good))  # type: ignore[union-attr]
        kinds = of_rows(problem, named[leaf.start], is_good)
        yield good.at[mine], Kinds(kinds.of[good.row[mine] - first], kinds.names)  # type: ignore[union-attr]
        first += len(is_good)


def names(problem: Any) -> dict[int, Any]:
    """By where its binaries start, the place of each step in the program.

    The turns of its loops are part of it unless these are over the examples of the batch, which are others in every batch; a
    loop of about as many turns as there are examples is taken for one.
    """
    filled = [leaf for leaf in problem.leaves if leaf.layout.size]
    every = strata.by_example(problem, filled)
    return {leaf.start: leaf.key[:1] if leaf.key[:1] in every else leaf.key for leaf in filled}


def _targets(problem: Any) -> Iterator[np.ndarray]:
    """Targets that are arrays of whole numbers or truth values."""
    for value in getattr(problem, "targets", {}).values():
        array = value.detach().cpu().numpy() if isinstance(value, Tensor) else value
        if isinstance(array, np.ndarray) and array.ndim and array.dtype.kind in "biu":
            yield array


def _spread(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return np.broadcast_to(x.reshape(x.shape + (1,) * (len(shape) - x.ndim)), shape).reshape(-1)

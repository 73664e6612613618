"""One batch of one metric, factored: its differences and binaries, and g at any configuration of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metric2loss.runtime import tape
from metric2loss.runtime.evaluate import Evaluator, Leaf
from metric2loss.runtime.late import Late
from metric2loss.runtime.layouts import Layout
from metric2loss.runtime.light import light
from metric2loss.runtime.recorded import Differences, Given, Outcomes
from metric2loss.runtime.split import Split

_FAR = 1e4  # an infinite difference counts as this: its binary is certain, its gradient zero


@dataclass(frozen=True, eq=False)
class Configuration:
    """One assignment of all binaries, with the places they stand at.

    sites: (key, layout) of each step of the run, key = site name and loop keys.
    """

    sites: tuple[tuple[tape.Path, Layout], ...]
    recorded: tuple[Differences, ...] = field(repr=False)
    tree: Any = field(repr=False)

    @classmethod
    def of(cls, tree: Any) -> Configuration:
        """From what f returned."""
        found = list(tape.leaves(tree))
        sites = tuple((key, leaf.layout) for key, leaf in found)
        return cls(sites, tuple(leaf for _, leaf in found), tape.rebuilt(tree, iter([None] * len(found))))

    def detached(self) -> Configuration:
        """The same without the graph of the differences."""
        leaves = [replace(leaf, layout=leaf.layout.detached(), values=leaf.values.detach()) for leaf in self.recorded]
        return replace(
            self,
            sites=tuple((key, leaf.layout) for (key, _), leaf in zip(self.sites, leaves, strict=True)),
            recorded=tuple(leaves),
        )

    @property
    def bits(self) -> tuple[np.ndarray, ...]:
        """The binaries, one Boolean array a site."""
        return tuple(leaf.bits.cpu().numpy() for leaf in self.recorded)

    @property
    def differences(self) -> tuple[np.ndarray, ...]:
        """The score differences, one array a site."""
        return tuple(leaf.values.detach().double().cpu().numpy() for leaf in self.recorded)

    @property
    def flat(self) -> np.ndarray:
        """All binaries in one array."""
        return np.concatenate([np.zeros(0, dtype=bool), *self.bits])

    def with_flat(self, flat: Any) -> Configuration:
        """The same places with other binaries."""
        given = torch.as_tensor(np.asarray(flat).astype(bool))
        leaves = self.leaves()
        size = leaves[-1].stop if leaves else 0
        if given.shape != (size,):
            raise ValueError(f"expected {size} binaries, given an array of shape {tuple(given.shape)}")
        return replace(
            self,
            recorded=tuple(
                replace(found, bits=given[leaf.start : leaf.stop].to(leaf.layout.device))
                for found, leaf in zip(self.recorded, leaves, strict=True)
            ),
        )

    def leaves(self) -> tuple[Leaf, ...]:
        """Where each site's binaries stand among all."""
        placed, start = [], 0
        for key, layout in self.sites:
            placed.append(Leaf(key, layout, start, start + layout.size))
            start += layout.size
        return tuple(placed)

    def given(self) -> tuple[Any, Outcomes]:
        """The tree g reads, and the place where its outcomes are put."""
        source = Outcomes()
        leaves = (Given(number, found.layout, found.library, source) for number, found in enumerate(self.recorded))
        return tape.rebuilt(self.tree, leaves), source

    @property
    def binaries(self) -> Any:
        """The tree for `steps.replay`, at this configuration."""
        return tape.rebuilt(self.tree, iter(self.recorded))


def flat_differences(tree: Any, device: torch.device) -> Tensor:
    """c of all sites, with its graph; never infinite or nan."""
    values = [leaf.values.to(device) for _, leaf in tape.leaves(tree) if leaf.layout.size]
    if not values:
        return torch.zeros(0, device=device)
    c = torch.cat([part.reshape(-1) for part in values]) if len(values) > 1 else values[0].reshape(-1)
    if bool(torch.isfinite(c.detach()).all()):
        return c
    return torch.nan_to_num(c, nan=0.0, posinf=_FAR, neginf=-_FAR)


def flat_bits(tree: Any, device: torch.device) -> Tensor:
    """The binaries of all sites."""
    bits: list[Tensor] = [leaf.bits.to(device) for _, leaf in tape.leaves(tree)]
    if len(bits) == 1:
        return bits[0]
    return torch.cat(bits) if bits else torch.zeros(0, dtype=torch.bool, device=device)


@dataclass(eq=False)
class Problem:
    """What interpolants and the search for the best configuration read.

    differences: c, [L], autograd.  bits: the current configuration, the user's own operations.  leaves: the steps and where
    their binaries stand.  sign: +1 maximize, -1 minimize.  metric: g(bits), the user's units.  row_of, n_rows: the rows a
    separable metric is the mean of (None, 1 otherwise).  rows, best_rows: their values at the current and at the best
    configuration, where the runs of g there showed them.  split: the pairs of the only step, where the best configuration
    puts one class of every row before the other; then nothing needs the binaries one by one.
    """

    leaves: tuple[Leaf, ...]
    metric: float
    evaluator: Evaluator
    scores: Mapping[str, Tensor]
    recorder: Callable[[Mapping[str, Tensor]], Tensor | None]
    recorded: tuple[Differences, ...]
    targets: Late[Mapping[str, Any]] = Late()  # noqa: RUF009 (a descriptor, one for all)
    differences: Late[Tensor] = Late()  # noqa: RUF009 (a descriptor, one for all)
    bits: Late[Tensor] = Late()  # noqa: RUF009 (a descriptor, one for all)
    ideal: Mapping[str, Tensor] | None = None
    rows: Tensor | None = None
    sign: int = 1
    best: Late[Tensor] = Late(torch.zeros(0, dtype=torch.bool))  # noqa: RUF009 (a descriptor, one for all)
    best_value: float = float("nan")
    best_rows: Tensor | None = None
    row_of: Late[Tensor | None] = Late(None)  # noqa: RUF009 (a descriptor, one for all)
    n_rows: int = 1
    split: Split | None = None
    progress: float = 0.5
    temperature: float = 1.0
    generator: torch.Generator | None = None
    filler: float | None = None  # stands for values that are not finite
    worth: float = float("nan")  # what the current configuration counts as: its metric, or what stands for it
    met: float = float("-inf")  # the best of sign · g at configurations since `best` is known

    def __post_init__(self) -> None:
        self.worth = self.metric

    @property
    def size(self) -> int:
        """Number of binaries."""
        return self.leaves[-1].stop if self.leaves else 0

    @property
    def certain(self) -> Tensor:
        """The binaries at an infinite difference, which no finite score turns: BoolTensor[L]."""
        return self.differences.detach().abs() == _FAR

    @property
    def device(self) -> torch.device:
        """Where the binaries are."""
        return self.evaluator.device

    def __repr__(self) -> str:
        return f"Problem({self.size} binaries, metric={self.metric}, best_value={self.best_value})"

    @property
    def looped(self) -> bool:
        """Whether configurations are evaluated one at a time, by a plain loop."""
        return self.evaluator.batching["g" if self.n_rows == 1 else "rows"].way == "loop"

    @property
    def own_cost(self) -> int:
        """What a configuration costs that is given as an outcome."""
        return self.evaluator.own_cost(lambda: self.bits)

    @property
    def run_cost(self) -> int:
        """What one configuration costs beside the numbers handed to g, in such numbers."""
        return self.evaluator.run_cost(lambda: self.bits)

    def values(self, base: Tensor, flips: Tensor) -> Tensor:
        """Exact g at `base` with each line of `flips` turned (LongTensor[A, F] of flat binaries, -1 none): float64 [A]."""
        return self._noticed(self.finite(self.evaluator.at_flips(base, flips)))

    def values_of(self, bits: Tensor) -> Tensor:
        """Exact g at dense configurations BoolTensor[A, L]: float64 [A]."""
        return self._noticed(self.finite(self.evaluator.at(bits)))

    def row_values(self, base: Tensor, flips: Tensor) -> Tensor:
        """Each row's value, [A, R]; the metric is their mean."""
        if self.row_of is None:
            return self.values(base, flips).unsqueeze(1)
        return self.finite(self.evaluator.at_flips(base, flips, "rows"))

    def row_values_of(self, bits: Tensor) -> Tensor:
        """The same at dense configurations."""
        if self.row_of is None:
            return self.values_of(bits).unsqueeze(1)
        return self.finite(self.evaluator.at(bits, "rows"))

    def values_at(self, outcomes: Tensor) -> Tensor:
        """Exact g at outcomes [A, ...] of the only step: float64 [A]."""
        return self._noticed(self.finite(self.evaluator.at_outcomes(outcomes)))

    def values_with(self, outcomes: list[Tensor], many: list[bool], amount: int) -> Tensor:
        """The same at outcomes of every step: [amount, ...] where `many` says so, else one for all."""
        return self._noticed(self.finite(self.evaluator.at_leaves(outcomes, many, amount)))

    def rows_with(self, outcomes: list[Tensor], many: list[bool], amount: int) -> Tensor:
        """Each row's value there, [amount, R]."""
        return self.finite(self.evaluator.at_leaves(outcomes, many, amount, "rows"))

    def whole_at(self, outcome: Tensor) -> tuple[float, Tensor | None]:
        """Exact g at one outcome of the only step, and the rows that it took the mean of, if it did."""
        return self.evaluator.with_rows([outcome])

    def rows_at(self, outcome: Tensor) -> Tensor:
        """Each row's value there, [R]; of a metric that is no mean its own, [1]."""
        method = "rows" if self.n_rows > 1 or self.evaluator.separable else "g"
        found = self.evaluator.at_native([outcome], method)
        return found if found.ndim == 1 else found.reshape(-1)

    def record(self, scores: Mapping[str, Tensor]) -> Tensor | None:
        """The binaries at other scores; None where the steps are not the same there."""
        return self.recorder(scores)

    def _noticed(self, values: Tensor) -> Tensor:
        if math.isfinite(self.best_value) and len(values):
            plain = light(values)
            self.met = max(self.met, self.sign * float(plain.max() if self.sign > 0 else plain.min()))
        return values

    def finite(self, values: Tensor) -> Tensor:
        """What is no number is worth what the batch is."""
        if self.filler is None or math.isfinite(values.sum().item()):
            return values
        return torch.where(torch.isfinite(values), values, self.filler)

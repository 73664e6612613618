"""A factored batch straight from f and g written with `steps`, evaluated one configuration at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from metric2loss.runtime import tape as tapes
from metric2loss.runtime.recorded import Given, Outcomes
from tests.runtime.toy import applied


@dataclass
class Direct:
    """`f(scores…, targets…)` gives a leaf or a tape, `g(binaries, targets…)` the metric; all torch."""

    f: Callable[..., Any]
    g: Callable[..., Any]
    scores: Mapping[str, Tensor]
    targets: Mapping[str, Any]
    generator: torch.Generator | None = None
    row_of: Tensor | None = None
    n_rows: int = 1
    evaluations: int = 0
    looped: bool = False
    recorded: int = 0
    leaves: tuple[SimpleNamespace, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.tree = self._run(self.scores)
        found, start = [], 0
        for key, leaf in tapes.leaves(self.tree):
            found.append(SimpleNamespace(layout=leaf.layout, start=start, stop=start + leaf.layout.size, key=key))
            start = found[-1].stop
        self.leaves = tuple(found)
        parts = [leaf for _, leaf in tapes.leaves(self.tree)]
        self.differences = torch.cat([leaf.values for leaf in parts])
        self.bits = torch.cat([leaf.bits for leaf in parts])
        self.metric = float(self.values_of(self.bits.unsqueeze(0))[0])
        self.evaluations = 0
        self.run_cost = 1

    @property
    def certain(self) -> Tensor:
        return self.differences.detach().isinf()

    def _run(self, scores: Mapping[str, Tensor]) -> Any:
        active = {key: value.detach().clone().requires_grad_() for key, value in scores.items()}
        return self.f(**active, **self.targets)

    def record(self, scores: Mapping[str, Tensor]) -> Tensor | None:
        self.recorded += 1
        leaves = [leaf for _, leaf in tapes.leaves(self._run(scores))]
        if len(leaves) != len(self.leaves):
            return None
        if not all(a.layout.same_as(b.layout) for a, b in zip(self.leaves, leaves, strict=True)):
            return None
        return torch.cat([leaf.bits for leaf in leaves])

    def values_of(self, bits: Tensor) -> Tensor:
        self.evaluations += len(bits)
        return torch.tensor([self._value(row) for row in bits], dtype=torch.double)

    def values(self, base: Tensor, flips: Tensor) -> Tensor:
        return self.values_of(applied(base, flips))

    def _value(self, bits: Tensor) -> float:
        outcomes = Outcomes([leaf.layout.result(bits[leaf.start : leaf.stop].unsqueeze(0))[0] for leaf in self.leaves])
        given = [Given(i, leaf.layout, "torch", outcomes) for i, leaf in enumerate(self.leaves)]
        return float(self.g(tapes.rebuilt(self.tree, iter(given)), **self.targets))

"""A factored batch as the learning parts read it: differences, configurations, and g at any of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor


class Layout(Protocol):
    """How the binaries of one step are arranged; `ahead`, `keys`, `beats`, `classes` … exist by kind."""

    @property
    def kind(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def numel(self) -> int: ...
    @property
    def n_rows(self) -> int: ...
    @property
    def row_of(self) -> Tensor: ...


class Leaf(Protocol):
    """One layout and its place among the flat binaries of the batch."""

    @property
    def key(self) -> Any: ...
    @property
    def layout(self) -> Any: ...
    @property
    def start(self) -> int: ...
    @property
    def stop(self) -> int: ...


class Factored(Protocol):
    """One batch of one metric as f and h leave it, with g to be asked at any configuration."""

    @property
    def differences(self) -> Tensor: ...
    @property
    def bits(self) -> Tensor: ...
    @property
    def leaves(self) -> Sequence[Leaf]: ...
    @property
    def metric(self) -> float: ...
    @property
    def row_of(self) -> Tensor | None: ...
    @property
    def n_rows(self) -> int: ...
    @property
    def generator(self) -> torch.Generator | None: ...
    @property
    def looped(self) -> bool: ...
    @property
    def run_cost(self) -> int: ...
    @property
    def certain(self) -> Tensor: ...

    def values(self, base: Tensor, flips: Tensor) -> Tensor: ...
    def values_of(self, bits: Tensor) -> Tensor: ...
    def row_values(self, base: Tensor, flips: Tensor) -> Tensor: ...
    def row_values_of(self, bits: Tensor) -> Tensor: ...


class Problem(Factored, Protocol):
    """A factored batch whose best configuration is known; `progress` is the p of links and paths while an interpolant runs."""

    progress: float

    @property
    def sign(self) -> int: ...
    @property
    def worth(self) -> float: ...
    @property
    def best(self) -> Tensor: ...
    @property
    def best_value(self) -> float: ...
    @property
    def temperature(self) -> float: ...


def oriented(problem: Problem) -> Tensor:
    """The differences over the temperature, turned so that positive means agreeing with the best configuration."""
    differences = problem.differences.detach() / problem.temperature
    if differences.dtype not in (torch.float32, torch.float64):
        differences = differences.float()
    far = 80 if differences.dtype == torch.float32 else 700  # where the sigmoid is still a number
    return torch.where(problem.best, differences, -differences).clamp(-far, far)


def drawn(problem: Factored, *shape: int) -> Tensor:
    """Uniform numbers from the problem's generator (or torch's own), on the problem's device."""
    device = getattr(problem, "device", None) or problem.differences.device  # the differences may not be listed yet
    if problem.generator is None:
        return torch.rand(shape, device=device)
    return torch.rand(shape, generator=problem.generator, device=problem.generator.device).to(device)

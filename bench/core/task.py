"""What a benchmark trains on: a task is a metric, its data, a network, and the losses people would write by hand for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

BUNDLED = "bundled"  # data that comes with scikit-learn or is generated; anything else names a folder

Batch = tuple[Tensor, ...]  # the network's input first, then what the metric takes after its scores
Criterion = Callable[..., Tensor]  # (network output, *targets) -> loss
Factory = Callable[[int], Criterion]  # the number of training steps -> criterion
OptimizerFactory = Callable[[Iterable[nn.Parameter], float], torch.optim.Optimizer]
Schedule = Callable[[torch.optim.Optimizer, int], torch.optim.lr_scheduler.LRScheduler]
Augment = Callable[[Batch, torch.Generator], Batch]


class System:
    """A criterion that is part of a system: it is told which training examples are in the batch, and brings its optimizer."""

    rows: Tensor

    def __call__(self, *given: Tensor) -> Tensor:
        raise NotImplementedError

    def optimizer(self, parameters: Iterable[nn.Parameter], learning_rate: float) -> torch.optim.Optimizer:
        raise NotImplementedError


@dataclass(frozen=True)
class Split:
    """One seed's data."""

    train: Batch
    validation: Batch
    test: Batch


def adam(parameters: Iterable[nn.Parameter], learning_rate: float) -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, lr=learning_rate)


@dataclass(frozen=True)
class Task:
    """What is trained, on what, and the hand-made losses it is compared with."""

    key: str  # for the command line and files: letters, digits, - and _
    title: str
    metric: str  # the file in examples/metrics or bench/metrics, without .py
    function: str
    handmade: Mapping[str, Factory]  # strongest first
    split: Callable[[int, str], Split]  # seed, "bundled" or a folder
    network: Callable[[], nn.Module]
    epochs: int
    batch_size: int
    arguments: tuple[
        str, ...
    ] = ()  # names of the metric's parameters for the scores and the targets; without: in order
    library: str = "numpy"  # what the metric takes: "numpy" | "torch"
    maximize: bool = True
    optimizer: OptimizerFactory = adam
    schedule: Schedule | None = None  # stepped after every training step
    augment: Augment | None = None  # of a training batch
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))  # of the compiled losses
    development: bool = False  # the engine was developed on it; every other task was fixed before it was first run
    fresh: bool = False  # no change of the engine was ever tried on it
    note: str = ""  # one sentence for the report: what the task is about
    full: Callable[[str], Task] | None = None  # folder -> the task at its real size, on the data there
    at_once: int = 1024  # examples a forward pass when evaluating

    @property
    def sign(self) -> int:
        return 1 if self.maximize else -1

    def on(self, data: str) -> Task:
        """The task as it is trained on that data: network, schedule and size may differ."""
        return self if data == BUNDLED or self.full is None else self.full(data)


def steady(criterion: Criterion) -> Factory:
    """A hand-made loss that does not change during the training."""
    return lambda _: criterion


def divide(arrays: Batch, seed: int, train: int, validation: int) -> Split:
    """Shuffle the rows and cut them in three; the test data is the rest."""
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(arrays[0])))
    parts = order[:train], order[train : train + validation], order[train + validation :]
    return Split(*(tuple(array[part] for array in arrays) for part in parts))

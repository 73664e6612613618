"""One training run: a task, a loss, a learning rate and a seed give the metric on validation and test data, and the time a step."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
from torch import nn

from bench.demo.losses import loss_of, metric_of
from bench.demo.tasks import TASKS, Batch


@dataclass(frozen=True)
class Run:
    """What to train: plain values, so that it can be sent to another process."""

    task: int  # place in TASKS
    loss: str
    learning_rate: float
    seed: int
    epochs: int | None = None  # the task's own number unless given


@dataclass(frozen=True)
class Outcome:
    """What came of a run, in the metric's own units."""

    run: Run
    validation: float
    test: float
    milliseconds: float  # median of a whole training step: network, loss, backward, Adam


def train(run: Run) -> Outcome:
    """Train from scratch. Runs with one seed share data, initial weights and batches, whatever their loss."""
    torch.set_num_threads(1)
    torch.manual_seed(run.seed)
    task = TASKS[run.task]
    data = task.split(run.seed)
    network = task.network()
    per_epoch = len(data.train[0]) // task.batch_size
    epochs = task.epochs if run.epochs is None else run.epochs
    criterion = loss_of(task, run.loss, epochs * per_epoch, run.seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=run.learning_rate)
    order = torch.Generator().manual_seed(run.seed)
    durations = []
    for _ in range(epochs):
        shuffled = torch.randperm(len(data.train[0]), generator=order)
        for rows in shuffled[: per_epoch * task.batch_size].reshape(per_epoch, task.batch_size):
            durations.append(step(network, criterion, optimizer, tuple(array[rows] for array in data.train)))
    metric = metric_of(task)
    return Outcome(
        run,
        validation=evaluate(network, metric, data.validation),
        test=evaluate(network, metric, data.test),
        milliseconds=1000 * median(durations),
    )


def step(network: nn.Module, criterion: Callable[..., Any], optimizer: torch.optim.Optimizer, batch: Batch) -> float:
    """One step of training; returns the seconds it took."""
    start = time.perf_counter()
    inputs, *targets = batch
    loss = criterion(network(inputs), *targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return time.perf_counter() - start


def evaluate(network: nn.Module, metric: Callable[..., Any], batch: Batch) -> float:
    """The user's metric function, on NumPy arrays as it expects."""
    inputs, *targets = batch
    with torch.no_grad():
        scores = network(inputs)
    return float(metric(scores.numpy(), *(target.numpy() for target in targets)))

"""One training run: a task, a loss, a learning rate and a seed give the metric on validation and test data, epoch by epoch."""

from __future__ import annotations

import math
import platform
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from statistics import mean, median
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bench.core.losses import ROOT, criterion_of, metric_of
from bench.core.record import Epoch, Outcome, Run
from bench.core.task import Batch, Criterion, Split, System, Task
from bench.rivals.losses import rival
from bench.tasks import named
from metric2loss.diagnostics import MetricError

NOT_FINITE = "M2L501"  # scores that are no longer finite, as compiled losses say it


class Diverged(Exception):
    """The loss is no longer finite."""


@dataclass
class Training:
    """A run in the making."""

    run: Run
    task: Task
    data: Split
    network: nn.Module
    criterion: Criterion
    optimizer: torch.optim.Optimizer
    scheduler: torch.optim.lr_scheduler.LRScheduler | None
    steps: int  # an epoch
    order: torch.Generator
    noise: torch.Generator  # of the augmentation
    durations: list[float] = field(default_factory=list)

    def epoch(self) -> float:
        """Train on every batch once (a last, smaller one is left out); returns the mean loss."""
        self.network.train()
        train, size = self.data.train, self.task.batch_size
        shuffled = torch.randperm(len(train[0]), generator=self.order)
        losses = []
        for rows in shuffled[: self.steps * size].reshape(self.steps, size):
            batch = tuple(array[rows] for array in train)
            if isinstance(self.criterion, System):
                self.criterion.rows = rows
            if self.task.augment is not None:
                batch = self.task.augment(batch, self.noise)
            losses.append(self.step(tuple(array.to(self.run.device) for array in batch)))
        return mean(losses)

    def step(self, batch: Batch) -> float:
        """One step of training; returns the loss."""
        clock = time.thread_time if self.run.device == "cpu" else time.perf_counter  # the first: whatever else runs
        start = clock()
        inputs, *targets = batch
        loss = self.criterion(self.network(inputs), *targets)
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        self.optimizer.step()
        if self.scheduler is not None:
            self.scheduler.step()
        value = float(loss.detach())
        self.durations.append(clock() - start)
        if not math.isfinite(value):
            raise Diverged(f"the loss of step {len(self.durations)} is {value}")
        return value

    def evaluate(self, batch: Batch) -> float | None:
        """The user's own metric, on the arrays it expects; None if the scores are not finite."""
        return evaluate(self.task, self.network, batch, self.run.device)


def start(run: Run) -> Training:
    """Everything at its beginning. Runs with one seed share data, initial weights and batches, whatever their loss."""
    torch.set_num_threads(1)
    task = named(run.task).on(run.data)
    torch.manual_seed(run.seed)
    data = task.split(run.seed, run.data)
    network = task.network().to(run.device)
    steps = len(data.train[0]) // task.batch_size
    total = steps * (task.epochs if run.epochs is None else run.epochs)
    criterion = criterion_of(task, run.loss, total, run.seed, len(data.train[0]))
    make = criterion.optimizer if isinstance(criterion, System) else task.optimizer
    optimizer = make(network.parameters(), run.learning_rate)
    return Training(
        run,
        task,
        data,
        network,
        criterion,
        optimizer,
        None if task.schedule is None else task.schedule(optimizer, total),
        steps,
        torch.Generator().manual_seed(run.seed),
        torch.Generator().manual_seed(run.seed),
    )


def train(run: Run) -> Outcome:
    """Train from scratch and evaluate."""
    begun = time.perf_counter()
    training = start(run)
    task, data = training.task, training.data
    some = tuple(array[: len(data.validation[0])] for array in data.train)
    epochs, failure = [], None
    for _ in range(task.epochs if run.epochs is None else run.epochs):
        try:
            loss = training.epoch()
        except Diverged as error:
            failure = str(error)
            break
        except MetricError as error:
            if {found.code for found in error.diagnostics} != {NOT_FINITE}:
                raise
            failure = error.diagnostics[0].message
            break
        epochs.append(Epoch(loss, training.evaluate(some), training.evaluate(data.validation)))
    return Outcome(
        run,
        tuple(epochs),
        validation=training.evaluate(data.validation),
        test=training.evaluate(data.test),
        milliseconds=1000 * median(training.durations or [math.inf]),
        seconds=time.perf_counter() - begun,
        failure=failure,
        settings=settings(training),
        versions=versions(),
    )


def evaluate(task: Task, network: nn.Module, batch: Batch, device: str = "cpu") -> float | None:
    """The metric of a network's scores."""
    inputs, *targets = batch
    network.eval()
    with torch.no_grad():
        scores = torch.cat([network(part.to(device)).cpu() for part in torch.split(inputs, task.at_once)])
    if not bool(torch.isfinite(scores).all()):
        return None
    value = float(measured(task, metric_of(task), scores, targets))
    return value if math.isfinite(value) else None


def measured(task: Task, metric: Callable[..., Any], scores: Tensor, targets: list[Tensor]) -> Any:
    """Call the metric with what it takes: its library's arrays, by position or by name."""
    tensors = [scores, *targets]
    given: list[Any] = tensors if task.library == "torch" else [tensor.numpy() for tensor in tensors]
    return metric(**dict(zip(task.arguments, given, strict=True))) if task.arguments else metric(*given)


def settings(training: Training) -> dict[str, Any]:
    """What a reader needs to know to compare runs."""
    task, optimizer = training.task, training.optimizer
    other = rival(task.key, training.run.loss)
    return {
        **({} if other is None else {"package": other.version}),
        "metric": f"{task.metric}.{task.function}",
        "network": sum(parameter.numel() for parameter in training.network.parameters()),
        "train": len(training.data.train[0]),
        "batch_size": task.batch_size,
        "steps_an_epoch": training.steps,
        "optimizer": type(optimizer).__name__,
        "options": {key: repr(value) for key, value in task.options.items()},
        "device": device_name(training.run.device),
    }


def device_name(device: str) -> str:
    return f"{platform.machine()} CPU" if device == "cpu" else torch.cuda.get_device_name(device)


@cache
def versions() -> dict[str, str]:
    """Of everything that the numbers depend on."""
    import metric2loss

    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "metric2loss": metric2loss.__version__,
        "commit": commit(),
    }


def commit() -> str:
    """The commit of the checkout, -dirty if files differ from it; empty outside one."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        answer = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return answer.stdout.strip()

"""Thirteen of the learning tasks under stochastic gradient descent, where the scale of a gradient counts as it does not for Adam."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import torch
from torch import nn

from bench.core.task import Task
from bench.tasks.learning import DEVELOPMENT, HELD_OUT

OF = (
    "accuracy-linear-noise",
    "accuracy-mlp",
    "ap-digit8",
    "ap-linear",
    "f1-linear",
    "ndcg-mlp",
    "balanced-accuracy",
    "macro-f1",
    "f2-diabetes",
    "auc-noise",
    "kappa",
    "expected-cost",
    "recall-items",
)


def momentum(parameters: Iterable[nn.Parameter], learning_rate: float) -> torch.optim.Optimizer:
    """SGD as people use it."""
    return torch.optim.SGD(parameters, lr=learning_rate, momentum=0.9)


TASKS: tuple[Task, ...] = tuple(
    replace(task, key=f"sgd-{task.key}", optimizer=momentum) for task in DEVELOPMENT + HELD_OUT if task.key in OF
)

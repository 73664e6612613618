"""How the papers train: optimizers, learning rates that fall in steps, pictures cropped and mirrored at random."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.lr_scheduler import LambdaLR

from bench.core.task import Augment, Batch, Schedule


def sgd(parameters: Iterable[nn.Parameter], learning_rate: float) -> torch.optim.Optimizer:
    """Plain, as for the paper's average precision."""
    return torch.optim.SGD(parameters, lr=learning_rate)


def sgd_momentum(parameters: Iterable[nn.Parameter], learning_rate: float) -> torch.optim.Optimizer:
    """As He et al. train residual networks."""
    return torch.optim.SGD(parameters, lr=learning_rate, momentum=0.9, weight_decay=1e-4)


def rmsprop(parameters: Iterable[nn.Parameter], learning_rate: float) -> torch.optim.Optimizer:
    """As Newell et al. train hourglasses."""
    return torch.optim.RMSprop(parameters, lr=learning_rate)


def falling(steps: Sequence[tuple[float, float]]) -> Schedule:
    """(share of the training, factor from there on) pairs, in order; the factor is 1 before the first."""
    return partial(_falling, tuple(steps))


def _falling(steps: Sequence[tuple[float, float]], optimizer: torch.optim.Optimizer, total: int) -> LambdaLR:
    def factor(done: int) -> float:
        return next((factor for share, factor in reversed(steps) if done >= share * total), 1.0)

    return LambdaLR(optimizer, factor)


ACCURACY = falling(((140 / 200, 0.1), (160 / 200, 0.01)))  # of 200 epochs
POSE = falling(((30 / 50, 1 / 4), (40 / 50, 1 / 16)))  # of 50 epochs


def crops(padding: int, mirror: bool) -> Augment:
    """Each picture shifted by up to `padding` pixels, zeros coming in, and mirrored with probability ½ if asked."""
    return partial(_cropped, padding, mirror)


def _cropped(padding: int, mirror: bool, batch: Batch, generator: torch.Generator) -> Batch:
    pictures, *targets = batch
    n, _, height, width = pictures.shape
    wide = functional.pad(pictures, (padding,) * 4)
    down, right = torch.randint(0, 2 * padding + 1, (2, n), generator=generator)
    rows = down[:, None, None, None] + torch.arange(height)[:, None]
    columns = right[:, None, None, None] + torch.arange(width)
    if mirror:
        turned = torch.rand(n, generator=generator) < 0.5
        columns = torch.where(turned[:, None, None, None], columns.flip(-1), columns)
    channels = torch.arange(pictures.shape[1])[:, None, None]
    moved: Tensor = wide[torch.arange(n)[:, None, None, None], channels, rows, columns]
    return moved, *targets

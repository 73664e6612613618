"""Rows of a choice as one binary each: log Σ exp of the good keys minus log Σ exp of the bad ones.

Its sigmoid P is the softmax probability that a good candidate is chosen.  With worth w the gradient is −w (1 − P) P^p by the
margin: cross entropy at progress p = 0, the expected value of the row at p = 1.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from metric2loss.runtime.factored import Problem
from metric2loss.runtime.good_rows import GoodRows
from metric2loss.runtime.interpolants.links import link


def pulled(keys: Tensor, good: Tensor, worth: Tensor, progress: float) -> Tensor:
    """dL/dkeys [R, n] from the worth [R] of choosing one of the good candidates [R, n]; rows of one kind have none."""
    up, down = keys.masked_fill(~good, -math.inf), keys.masked_fill(good, -math.inf)
    margin = _margin(up, down)
    worth = torch.where(good.any(1) & ~good.all(1), worth.to(keys), 0.0)
    pull = worth * link(torch.where(worth >= 0, margin, -margin), progress)
    share = torch.where(good, -torch.softmax(up, 1), torch.softmax(down, 1)).nan_to_num_()
    return share.mul_(pull.nan_to_num_().unsqueeze(1))


def _margin(up: Tensor, down: Tensor) -> Tensor:
    return torch.logsumexp(up, 1) - torch.logsumexp(down, 1)


def chances(problem: Problem, rows: GoodRows) -> Tensor:
    """P of each row, [rows of all steps]."""
    found = []
    for leaf, good in rows.sides:
        keys = scaled(leaf.layout.keys, problem.temperature).reshape(good.shape)
        margin = _margin(keys.masked_fill(~good, -math.inf), keys.masked_fill(good, -math.inf))
        found.append(torch.sigmoid(margin).nan_to_num_(1.0))
    return torch.cat(found)


def terms(problem: Problem, rows: GoodRows, worth: Tensor) -> list[tuple[Tensor, Tensor]]:
    """The keys of every step and dL/dkeys, from the worth of each row."""
    found, start = [], 0
    for leaf, good in rows.sides:
        keys = leaf.layout.keys
        mine = worth[start : start + len(good)]
        slope = pulled(scaled(keys, problem.temperature).reshape(good.shape), good, mine, problem.progress)
        found.append((keys, slope.reshape(keys.shape) / problem.temperature))
        start += len(good)
    return found


def scaled(keys: Tensor, temperature: float) -> Tensor:
    """Keys over the temperature, without graph, in single precision at least."""
    keys = keys.detach()
    return (keys if keys.dtype == torch.float64 else keys.float()) / temperature

"""Integrated credit of rows that are good when some good item beats all bad ones, from the keys alone.

With u_ij(t) = u_ij + t (1 − u_ij) and q_i = Π_j u_ij(t), the row is good with probability Q = 1 − Π_i (1 − q_i), and the
credit of a binary is its worth times the mean over t of dQ/du_ij = (q_i / u_ij(t)) Π_{i'≠i} (1 − q_i').  One good item:
by quadrature over the annealed path.  Several: by the margin between the good and the bad items.
"""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

from metric2loss.runtime.factored import Problem
from metric2loss.runtime.interpolants.credit import nodes
from metric2loss.runtime.interpolants.sums import Totals, link
from metric2loss.runtime.split import Split

_NEGLIGIBLE = 10  # times the precision of the numbers
_TINY = 1e-25
_SMALL = 2**13  # binaries for which calls cost more than numbers


def decided(problem: Problem, split: Split) -> bool:
    """Whether every row of the metric is one row of the split, and worth the same whatever the others are."""
    layout = problem.leaves[0].layout
    return bool(layout.kind == "choose" and problem.n_rows == layout.n_rows and problem.n_rows == len(split.winners))


def gradient(problem: Problem, split: Split) -> tuple[Tensor, float] | None:
    """dL/dkeys of the integrated credit and the mean credit, from two evaluations of the rows; None if there is none."""
    layout = problem.leaves[0].layout
    right, wrong = problem.row_values_at(  # type: ignore[attr-defined]
        torch.stack([layout.with_ahead(split.winners), layout.with_ahead(~split.winners)])
    )
    worth = problem.sign * (right - wrong) / len(right)
    mixed = (split.amounts > 0) & (split.amounts < split.winners.shape[1])
    worth = torch.where(torch.isfinite(worth) & mixed, worth, 0.0).to(split.of_good)
    if not bool((worth != 0).any()):
        return None
    if split.good.shape[1] == 1:
        return _of_one(problem, split, worth)
    return _of_any(split, worth, problem.progress)


def _of_one(problem: Problem, split: Split, worth: Tensor) -> tuple[Tensor, float]:
    """One good item a row: ∫ Π_j u_j(t) / u_j(t) dt."""
    totals, met = Totals(split), 0.0
    for block in split.blocks():
        u = torch.sigmoid(block.x)
        credit = _integral(u, problem.progress)
        mine = worth[block.rows].reshape(-1, 1, 1)
        pulls = credit.mul_(mine)
        met += float(pulls.sum(2).abs().sum())  # of one sign in a row
        if bool((mine < 0).any()):
            up = torch.where(mine >= 0, block.x, -block.x)
            totals.add(block, pulls.mul_(link(up, problem.progress)))
        else:
            totals.add(block, pulls.mul_(_link_of(u, block.x, problem.progress)))
    return totals.gradient(), met / split.pairs


def _link_of(u: Tensor, x: Tensor, progress: float) -> Tensor:
    down = x.neg_().sigmoid_()
    if progress == 0:
        return down
    return down.mul_(u.sqrt_() if progress == 0.5 else u.log_().mul_(progress).exp_())


def _integral(u: Tensor, progress: float) -> Tensor:
    """∫ Π_j u_j(t) / u_j(t) dt over the last axis; nodes from t = 1 down, until nothing is left to add."""
    points, weights = falling_nodes(progress, u.dtype, u.device)
    if u.numel() <= _SMALL:  # all nodes at once
        t = points.reshape(-1, *(1,) * u.ndim)
        there = torch.lerp(u, torch.ones_like(u), t)
        q = torch.log(there).sum(-1, keepdim=True).exp_().mul_(weights.reshape(t.shape))
        return q.div(there).sum(0)
    total, there, logs = torch.empty_like(u), torch.empty_like(u), torch.empty_like(u)
    first: Tensor | None = None
    for t, weight in zip(points, weights.tolist(), strict=True):
        torch.add(t, u, alpha=1 - float(t), out=there)
        q = torch.log(there, out=logs).sum(-1, keepdim=True).exp_()
        q = torch.where(q > _TINY, q, 0.0)  # denormal numbers are slow
        if first is None:
            first = q
        elif bool((q <= _NEGLIGIBLE * torch.finfo(q.dtype).eps * first).all()):
            break  # Q falls with t in every row
        there.reciprocal_()
        if first is q:
            torch.mul(there, q * weight, out=total)
        else:
            total.add_(there.mul_(q.mul_(weight)))
    return total


@functools.lru_cache(maxsize=64)
def falling_nodes(progress: float, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """The nodes of the annealed path from t = 1 down, and their weights."""
    points, weights = nodes(progress, torch.empty(0, dtype=dtype, device=device))
    order = torch.argsort(points, descending=True)
    return points[order], weights[order]


def _of_any(split: Split, worth: Tensor, progress: float) -> tuple[Tensor, float]:
    """Several good items: the row is one binary, log Σ exp of the good keys against log Σ exp of the bad ones.

    Credit pair by pair multiplies the chances of all good items to fail; on heat maps (PCKh, a small network, 3 seeds,
    learning rates .003, .01, .03) it reached .835, .872, .855 where this reaches .887, .892, .889.
    """
    rows, n = split.winners.shape
    keys = split.keys.detach().reshape(rows, n)
    keys = keys.float() if keys.dtype in (torch.float16, torch.bfloat16) else keys
    good, bad = keys.masked_fill(~split.winners, -math.inf), keys.masked_fill(split.winners, -math.inf)
    margin = torch.logsumexp(good, 1) - torch.logsumexp(bad, 1)
    pull = -worth.to(keys) * link(torch.where(worth >= 0, margin, -margin), progress)
    pull = torch.where(worth != 0, pull, 0.0).unsqueeze(1)
    share = torch.where(split.winners, torch.softmax(good, 1), -torch.softmax(bad, 1)).nan_to_num()
    return (pull * share).reshape(split.keys.shape).to(split.keys.dtype), float(worth.abs().sum()) / max(split.pairs, 1)

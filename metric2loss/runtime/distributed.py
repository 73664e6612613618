"""Data-parallel training: the batches of all ranks become one, with gradients for the scores of this rank.

Every rank computes the loss of the joint batch, in rank order, and gets the part of its gradient that belongs to its own
scores: over all ranks together, exactly the gradient of one process with the joint batch.  Sum parameter gradients over the
ranks; `DistributedDataParallel` averages them, so multiply the loss by the number of ranks there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from metric2loss.runtime.arguments import Arguments
from metric2loss.runtime.memory import per_example


class Peers:
    """The ranks of a process group (`torch.distributed.group.WORLD` for all); copies of it mean the same group."""

    def __init__(self, group: Any) -> None:
        self.group = group

    def __deepcopy__(self, memo: Any) -> Peers:
        return self

    def __reduce__(self) -> Any:
        return Peers, (None,)  # a group lives in its process; elsewhere it is the default one

    def gathered(self, given: Arguments) -> Arguments:
        """The joint batch: one entry per example of every rank, everything else as given here."""
        world, rank = dist.get_world_size(self.group), dist.get_rank(self.group)
        mine = {**{name: x.detach().cpu() for name, x in given.scores.items()}}
        mine_others = {name: _plain(given.others[name]) for name in per_example(given)}
        everyone: list[Any] = [None] * world
        dist.all_gather_object(everyone, (mine, mine_others), group=self.group)
        names = [name for name in mine_others if all(name in others for _, others in everyone)]
        scores = {
            name: torch.cat([x if r == rank else everyone[r][0][name].to(x) for r in range(world)])
            for name, x in given.scores.items()
        }
        joint = {name: _joined([others[name] for _, others in everyone], given.others[name]) for name in names}
        return replace(given, scores=scores, others={**given.others, **joint})

    def common_seed(self) -> int:
        """The same number on every rank, drawn by the first."""
        seeds: list[Any] = [None] * dist.get_world_size(self.group)
        dist.all_gather_object(seeds, int(torch.randint(2**31, ())), group=self.group)
        return int(seeds[0])


def _plain(value: Any) -> Any:
    return value.detach().cpu() if isinstance(value, Tensor) else value


def _joined(parts: Sequence[Any], like: Any) -> Any:
    if isinstance(like, Tensor):
        return torch.cat([part.to(like.device) for part in parts])
    if isinstance(like, (list, tuple)):
        return type(like)([entry for part in parts for entry in part])
    return np.concatenate(parts)

"""A guess at the best ranking where no target says it: every item first, then last, and what that does to the metric."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from metric2loss.runtime.factored import Factored

_WORK = 2**20  # configurations times binaries turned that the guess may cost


def by_influence(batch: Factored, sign: int, rounds: int = 4) -> Tensor | None:
    """Items of orders and choices in the order of g(item first) - g(item last), times `sign`; again while that improves.

    A round costs two evaluations of g an item; None when there are no items or too many.
    """
    items = [(leaf, int(leaf.layout.keys.numel())) for leaf in batch.leaves if leaf.layout.kind in ("order", "choose")]
    if not items or not len(batch.bits):
        return None
    if 2 * sum(n for _, n in items) * max(batch.run_cost, *(n for _, n in items)) > _WORK:
        return None
    best, value = batch.bits, -math.inf
    for _ in range(rounds):
        bits = best.clone()
        for leaf, n in items:
            if leaf.layout.size:
                bits[leaf.start : leaf.stop] = _arranged(batch, leaf, n, best, sign)
        found = sign * float(batch.values_of(bits.unsqueeze(0))[0])
        if not found > value:
            break
        best, value = bits, found
    return best


def _arranged(batch: Factored, leaf: Any, n: int, base: Tensor, sign: int) -> Tensor:
    """The binaries of a leaf by the influence of its items at `base`; items of equal influence stay as they are."""
    mine = base[leaf.start : leaf.stop]
    values = torch.nan_to_num(batch.values(base, torch.cat(_moved(leaf.layout, mine, leaf.start, n))).double())
    influence = sign * (values[:n] - values[n:])
    before, after = influence[leaf.layout.ahead], influence[leaf.layout.behind]
    return torch.where(before == after, mine, before > after)


def _moved(layout: Any, bits: Tensor, start: int, n: int) -> tuple[Tensor, Tensor]:
    """Flips [n, F] that put item i before, and behind, every item it is compared with."""
    ahead, behind = layout.ahead, layout.behind
    numbers = torch.arange(len(bits), device=bits.device)
    item = torch.cat([ahead, behind])
    loses = torch.cat([~bits, bits])  # as the one ahead it loses where the binary is false
    order = torch.argsort(item, stable=True)
    counts = torch.bincount(item, minlength=n)
    place = torch.arange(len(item), device=bits.device) - (counts.cumsum(0) - counts)[item[order]]
    width = max(int(counts.max()), 1)
    tables = []
    for wanted in (loses, ~loses):
        table = torch.full((n, width), -1, dtype=torch.long, device=bits.device)
        flips = torch.where(wanted, torch.cat([numbers, numbers]) + start, -1)
        table[item[order], place] = flips[order]
        tables.append(table)
    return tables[0], tables[1]

"""A guess at the best ranking where no target says it: every item first, then last, and what that does to the metric."""

from __future__ import annotations

import torch
from torch import Tensor

from metric2loss.runtime.factored import Factored

_WORK = 2**20  # configurations times binaries turned that the guess may cost


def by_influence(batch: Factored, sign: int) -> Tensor | None:
    """Items of orders and choices in the order of g(item first) - g(item last) at the current configuration, times `sign`.

    Costs two evaluations of g an item; None when there are no items or too many.
    """
    bits = batch.bits.clone()
    items = [(leaf, int(leaf.layout.keys.numel())) for leaf in batch.leaves if leaf.layout.kind in ("order", "choose")]
    if not items or not bits.numel() or 2 * sum(n for _, n in items) * max(n for _, n in items) > _WORK:
        return None
    for leaf, n in items:
        if not leaf.layout.size:
            continue
        first, last = _moved(leaf.layout, bits[leaf.start : leaf.stop], leaf.start, n)
        values = torch.nan_to_num(batch.values(batch.bits, torch.cat([first, last])).double())
        influence = sign * (values[:n] - values[n:])
        before, after = influence[leaf.layout.ahead], influence[leaf.layout.behind]
        mine = bits[leaf.start : leaf.stop]
        bits[leaf.start : leaf.stop] = torch.where(before == after, mine, before > after)
    return bits


def _moved(layout: object, bits: Tensor, start: int, n: int) -> tuple[Tensor, Tensor]:
    """Flips [n, F] that put item i before, and behind, every item it is compared with."""
    ahead, behind = layout.ahead, layout.behind  # type: ignore[attr-defined]
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

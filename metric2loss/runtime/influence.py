"""A guess at the best ranking where no target says it: every item first, then last, and what that does to the metric."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from metric2loss.runtime.factored import Factored

_WORK = 2**22  # configurations times binaries turned, or what a run of g costs, that the guess may cost
_MOST = 2**22  # binaries: each item asked flips all of its own
_CLASSES = 32  # more kinds of items than this are looked at one by one
_EACH = 2  # items of a class that stand for it


def by_influence(batch: Factored, sign: int, rounds: int = 4) -> Tensor | None:
    """Items of orders and choices in the order of g(item first) - g(item last), times `sign`; again while that improves.

    A round costs two evaluations of g an item, or for each of two items of a class where the targets make few classes; None
    when there are no items or too many.
    """
    items = [_Items(batch, leaf) for leaf in batch.leaves if leaf.layout.kind in ("order", "choose")]
    if not items or not 0 < len(batch.bits) <= _MOST:
        return None
    if 2 * sum(len(x.asked) for x in items) * max(batch.run_cost, *(x.amount for x in items)) > _WORK:
        return None
    best, value = batch.bits, -math.inf
    for _ in range(rounds):
        bits = best.clone()
        for x in items:
            if x.leaf.layout.size:
                bits[x.leaf.start : x.leaf.stop] = _arranged(batch, x, best, sign)
        found = sign * float(batch.values_of(bits.unsqueeze(0))[0])
        if not found > value:
            break
        best, value = bits, found
    return best


class _Items:
    """The items of one step, and those of them that are asked: all, or a few of each class of items with equal targets."""

    def __init__(self, batch: Factored, leaf: Any) -> None:
        self.leaf = leaf
        self.amount = int(leaf.layout.keys.numel())
        self.asked = torch.arange(self.amount, device=batch.bits.device)
        self.stands_for = self.asked  # the number among `asked` of the first that stands for an item
        self.each = 1
        told = [_numbered(x) for x in getattr(batch, "targets", {}).values() if _is_about(x, self.amount)]
        if not told:
            return
        rows = torch.cat([numbers.reshape(self.amount, -1) for numbers in told], 1)
        classes = torch.unique(rows, dim=0, return_inverse=True)[1].to(self.asked.device)
        if int(classes.max()) < min(_CLASSES, self.amount // 4):
            counts = torch.bincount(classes)
            order = torch.argsort(classes, stable=True)
            start = counts.cumsum(0) - counts
            few = [start + torch.minimum(k * counts // _EACH, counts - 1) for k in range(_EACH)]
            self.asked, self.stands_for, self.each = order[torch.stack(few, 1)].reshape(-1), classes * _EACH, _EACH


def _is_about(x: Any, amount: int) -> bool:
    """Whether a target has an entry, or a row of entries, for each item."""
    if not isinstance(x, Tensor) or x.is_complex():
        return False
    return x.numel() == amount or (x.ndim > 1 and len(x) == amount)


def _numbered(x: Tensor) -> Tensor:
    number: Tensor = torch.unique(x.detach().reshape(-1), return_inverse=True)[1].cpu()
    return number


def _arranged(batch: Factored, items: _Items, base: Tensor, sign: int) -> Tensor:
    """The binaries of a step by the influence of its items at `base`; items of equal influence stay as they are."""
    leaf, asked = items.leaf, items.asked
    mine = base[leaf.start : leaf.stop]
    first, last = _moved(leaf.layout, mine, leaf.start, asked)
    values = torch.nan_to_num(batch.values(base, torch.cat([first, last])).double())
    gains = (sign * (values[: len(asked)] - values[len(asked) :])).reshape(-1, items.each).mean(1)
    return leaf.layout.compared(gains[items.stands_for // items.each], mine)  # type: ignore[no-any-return]


def _moved(layout: Any, bits: Tensor, start: int, asked: Tensor) -> tuple[Tensor, Tensor]:
    """Flips [asked, F] that put each item asked before, and behind, every item it is compared with."""
    number = torch.full((layout.keys.numel(),), -1, device=bits.device)
    number[asked] = torch.arange(len(asked), device=bits.device)
    items, flips, loses = [], [], []
    for side, behind in ((layout.ahead, ~bits), (layout.behind, bits)):  # as the one ahead it loses where it is false
        at = (number[side] >= 0).nonzero().flatten()
        items.append(number[side[at]])
        flips.append(at + start)
        loses.append(behind[at])
    item, flip, lost = torch.cat(items), torch.cat(flips), torch.cat(loses)
    order = torch.argsort(item, stable=True)
    counts = torch.bincount(item, minlength=len(asked))
    place = torch.arange(len(item), device=bits.device) - (counts.cumsum(0) - counts)[item[order]]
    tables = []
    for wanted in (lost, ~lost):
        table = torch.full((len(asked), max(int(counts.max()), 1)), -1, dtype=torch.long, device=bits.device)
        table[item[order], place] = torch.where(wanted, flip, -1)[order]
        tables.append(table)
    return tables[0], tables[1]

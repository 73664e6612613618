"""Rows of a choice as one binary each: log Σ exp of the good keys minus log Σ exp of the bad ones.

Its sigmoid P is the softmax probability that a good candidate is chosen.  With worth w the gradient is −w (1 − P) P^p by the
margin: cross entropy at p = 0, the expected value of the row at p = 1.  Between them P^p is small while the network
knows nothing, the more candidates the smaller, and plain gradient descent would hardly begin; so all rows are pulled harder
by s^(−p (1 − p)), s the share of good candidates, which P is at equal keys: at neither end, and nothing to Adam.
Which p is right depends on how much of the batch can be learned, and the batch says so: see `links.Power`.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from metric2loss.runtime.factored import Problem
from metric2loss.runtime.good_rows import GoodRows
from metric2loss.runtime.interpolants.links import Power, link
from metric2loss.runtime.interpolants.protocol import Entries
from metric2loss.runtime.light import fitted, heavy, joint, least, light, some, total, up_to
from metric2loss.runtime.side import Side
from metric2loss.runtime.split import Split

_LEAST = 1e-30  # a softmax probability that is still a number of full precision
_SURE = 0.5  # one above which the others are summed, for 1 - p is too much rounded


def pulled(split: Split, worth: Tensor, power: Power) -> Tensor:
    """dL/dkeys [R · n] from the worth [R] of choosing one of the good items of a row; rows of one kind have none.

    Of the hard margin the largest keys of either side stand for it.
    """
    if split.few is not None and split.encoding != "margin":
        return _of_few(split, split.few, light(worth), power)
    keys, good, best = split.values, split.winners, _hard if split.encoding == "margin" else _soft
    of_good, up = best(keys.masked_fill(~good, -math.inf))
    of_bad, down = best(keys.masked_fill(good, -math.inf))
    share = torch.where(good, -up, down)
    margin = of_good - of_bad
    mixed = torch.isfinite(margin)
    p = power.at(_mean(torch.sigmoid(margin[mixed])))
    pull = torch.where(mixed, worth.to(keys), 0.0) * link(torch.where((worth >= 0) & mixed, margin, -margin), p)
    pull = pull.nan_to_num_().mul_(_harder(split, p) / split.temperature)
    return share.mul_(pull.unsqueeze(1)).reshape(-1)


def _of_few(split: Split, few: Tensor, worth: Any, power: Power) -> Tensor:
    """The same where every row has as few good items, `few` [R, k]."""
    shares = torch.softmax(split.values, 1)
    entries, candidates = light(shares), light(few)
    places = up_to(split.shape[0], entries)[:, None], candidates
    good = entries[places]
    p = good[:, 0] if few.shape[1] == 1 else good.sum(1)
    if least(p) < _LEAST or least(worth) < 0:
        return _by_sums(split, few, worth, power)
    rest = 1 - p
    if some(p > _SURE):
        entries[places] = 0.0
        rest = light(shares.sum(1))
    at = power.at(_mean(p))
    pull = fitted(worth, p) * (p if at == 1 else p**at) * (_harder(split, at) / split.temperature)
    shares.mul_(heavy(pull).unsqueeze(1))
    entries[places] = good * (-pull * rest / p)[:, None]
    return shares.reshape(-1)


def _by_sums(split: Split, few: Tensor, worth: Any, power: Power) -> Tensor:
    """By log Σ exp of either side, which is a number however far apart they are."""
    of_good, up = _soft(split.of_good)
    of_bad, share = _soft(split.values.scatter(1, few, -math.inf))
    pull = heavy(_pull(split, of_good - of_bad, worth, power))
    return share.scatter_(1, few, -up).mul_(pull.unsqueeze(1)).reshape(-1)


def by_largest(split: Split, worth: Tensor, power: Power) -> Entries | None:
    """The same of the hard margin: one key of either side moves. None where two are equal, which move alike, or many are good."""
    if split.few is None:
        return None
    (rows, n), keys, few = split.shape, light(split.values), light(split.few)
    lines = up_to(rows, few)
    down, of_bad, clear = _largest(light(split.values.scatter(1, split.few, -math.inf)), lines)
    up = few[:, 0]
    if few.shape[1] > 1:
        place, _, alone = _largest(keys[lines[:, None], few], lines)
        up, clear = few[lines, place], clear and alone
    if not clear:
        return None
    pull = _pull(split, heavy(keys[lines, up]) - heavy(of_bad), light(worth), power)
    starts = lines * n
    return Entries(heavy(joint(starts + up, starts + down)), heavy(joint(-pull, pull)))


def _largest(keys: Any, lines: Any) -> tuple[Any, Any, bool]:
    """The place of the largest key of each row, that key, and whether all are larger than the others; overwrites the keys."""
    at = keys.argmax(1)
    top = keys[lines, at]
    keys[lines, at] = -math.inf
    return at, top, not some(keys[lines, keys.argmax(1)] == top)


def _pull(split: Split, margin: Tensor, worth: Any, power: Power) -> Any:
    """How hard each row is pulled, [R]; light, as the worth is."""
    up = light(torch.sigmoid(margin))
    p = power.at(_mean(up))
    if least(worth) < 0:
        margin = torch.where(heavy(worth) >= 0, margin, -margin)
        up = light(torch.sigmoid(margin))
    down = light(torch.sigmoid(-margin))
    return fitted(worth, down) * (down if p == 0 else down * up**p) * (_harder(split, p) / split.temperature)


def _harder(split: Split, p: float) -> float:
    """s^(−p (1 − p)), but of the hard margin 1; rows without good candidates have nothing to pull."""
    if split.encoding == "margin":
        return 1.0
    if split.even:
        good = split.side.range[0] / split.shape[1]
    else:
        amounts = split.amounts[split.amounts > 0]
        good = float(amounts.sum()) / (max(len(amounts), 1) * split.shape[1])
    return good ** (-p * (1 - p)) if good else 1.0


def _mean(chances: Any) -> float:
    found: float = total(chances) / max(chances.shape[0], 1)
    return found


def _soft(keys: Tensor) -> tuple[Tensor, Tensor]:
    """log Σ exp of each row and the share of each entry in it; -inf and zeros for a row of -inf alone."""
    top = keys.amax(1, keepdim=True).clamp(min=torch.finfo(keys.dtype).min)
    shares = torch.sub(keys, top).exp_()
    total = shares.sum(1, keepdim=True)
    return (total.log() + top).squeeze(1), shares.div_(torch.where(total > 0, total, 1.0))


def _hard(keys: Tensor) -> tuple[Tensor, Tensor]:
    """The largest key of each row and the share of each entry in it, which equal ones have alike."""
    top = keys.amax(1, keepdim=True)
    shares = (keys == top).to(keys.dtype)
    return top.squeeze(1), shares.div_(shares.sum(1, keepdim=True))


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


def terms(problem: Problem, rows: GoodRows, worth: Tensor, power: Power) -> list[tuple[Tensor, Tensor]]:
    """The keys of every step and dL/dkeys, from the worth of each row."""
    found, start = [], 0
    for leaf, good in rows.sides:
        keys = leaf.layout.keys
        mine = worth[start : start + len(good)]
        slope = pulled(Split(keys, Side.of(good), problem.temperature), mine, power)
        found.append((keys, slope.reshape(keys.shape)))
        start += len(good)
    return found


def scaled(keys: Tensor, temperature: float) -> Tensor:
    """Keys over the temperature, without graph, in single precision at least."""
    keys = keys.detach()
    return (keys if keys.dtype == torch.float64 else keys.float()) / temperature

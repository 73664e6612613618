"""Guesses at the best configuration: scores that are the targets, outcomes in order of their class, single flips."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor

from metric2loss.runtime.factored import Factored
from metric2loss.runtime.influence import by_influence
from metric2loss.runtime.layouts import ChooseLayout, MarginLayout, OrderLayout
from metric2loss.runtime.named_items import named_scores
from metric2loss.runtime.side import Side

IDEAL = "the ideal scores given"
_SURE = 10.0  # how far apart proposed scores are: certain under a sigmoid or a softmax too
_WORK = 2**21  # configurations times numbers handed to g that one round of single flips may cost


class Batch(Factored, Protocol):
    """A factored batch with the arguments it came from, recordable at other scores."""

    @property
    def scores(self) -> Mapping[str, Tensor]: ...
    @property
    def targets(self) -> Mapping[str, Any]: ...

    def record(self, scores: Mapping[str, Tensor]) -> Tensor | None: ...


@dataclass(frozen=True)
class Proposal:
    """A way to a configuration; `opposite` names the one of the negated scores; a dear way evaluates g many times."""

    name: str
    bits: Callable[[], Tensor | None]
    recorded: bool = False
    opposite: str = ""
    dear: bool = False


_APART = ", equal ones a little apart"
LARGEST, SMALLEST = "the largest outcome is chosen", "the smallest outcome is chosen"
ALL_TRUE, ALL_FALSE = "all binaries true", "all binaries false"


def winners(batch: Batch, name: str) -> Side | None:
    """The items of each row that come before all others in the configuration of that name.

    None where it is of another form: a program of several steps, rows of more than two classes, another way.
    """
    layout = batch.leaves[0].layout if len(batch.leaves) == 1 else None
    if not isinstance(layout, (OrderLayout, ChooseLayout, MarginLayout)) or layout.lower is None:
        return None
    if name in (ALL_TRUE, ALL_FALSE):
        return layout.lower if name == ALL_TRUE else layout.lower.others
    if name == LARGEST and not isinstance(layout, OrderLayout) and layout.asks_for_lower:
        return layout.lower
    if name in (LARGEST, SMALLEST) and not isinstance(layout, OrderLayout) and layout.outcomes.ndim == 2:
        return _extreme(layout.outcomes, name == LARGEST)
    return None


def _extreme(outcomes: Tensor, largest: bool) -> Side:
    """Where the entries of each row are its largest (smallest)."""
    if outcomes.dtype != torch.bool:
        return Side.of(outcomes == (outcomes.amax(1, keepdim=True) if largest else outcomes.amin(1, keepdim=True)))
    wanted = Side.of(outcomes if largest else ~outcomes)
    none = wanted.amounts == 0
    return Side.of(wanted.items | none.unsqueeze(1)) if bool(none.any()) else wanted


def proposals(batch: Batch) -> Iterator[Proposal]:
    """All that need no evaluation of g, surest first."""
    yield from _recorded(batch)
    yield from _structural(batch)


def _recorded(batch: Batch) -> Iterator[Proposal]:
    ideal = getattr(batch, "ideal", None)
    if ideal is not None:
        yield Proposal(IDEAL, lambda: _at(batch, ideal), True)
    for name, found in _score_guesses(batch):
        here, there = f"scores = {name}", f"scores = -({name})"
        negated = {key: -value for key, value in found.items()}
        refused: dict[str, bool] = {}
        yield Proposal(here, partial(_at, batch, found, refused, here), True, there)
        yield Proposal(there, partial(_at, batch, negated, refused, there), True)
        yield Proposal(f"{here}{_APART}", partial(_apart, batch, found, refused, here), True, f"{there}{_APART}")
        yield Proposal(f"{there}{_APART}", partial(_apart, batch, negated, refused, there), True)


def _at(
    batch: Batch, scores: Mapping[str, Tensor], refused: dict[str, bool] | None = None, name: str = ""
) -> Tensor | None:
    """The binaries at other scores, unless the metric has none there (a check that refuses them, a logarithm of -1)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = batch.record(scores)
        except Exception:  # noqa: BLE001 (whatever the user's own checks raise)
            found = None
    if refused is not None:
        refused[name] = found is None
    return found


def _apart(batch: Batch, scores: Mapping[str, Tensor], refused: Mapping[str, bool], name: str) -> Tensor | None:
    """The same without equal scores, where they take other steps: a threshold for every distinct one, a quantile of them."""
    if not refused.get(name, True) and not any(_compares_scores(leaf.layout) for leaf in batch.leaves):
        return None
    apart = {key: _untied(x, batch.scores[key].detach()) for key, x in scores.items()}
    return None if all(torch.equal(apart[key], x) for key, x in scores.items()) else _at(batch, apart)


def _compares_scores(layout: Any) -> bool:
    """Whether scores are compared with scores."""
    return bool(layout.kind == "compare" and layout.scores > 0)


def _untied(x: Tensor, like: Tensor) -> Tensor:
    """`x` with equal entries a little apart, in the order of `like`; neither its range nor its order grows or changes."""
    values = torch.unique(x.double())
    if len(values) == x.numel():
        return x
    low, span = values[0], values[-1] - values[0]
    gap = float(values.diff().min()) if len(values) > 1 else 1.0
    place = torch.empty(x.numel(), dtype=torch.double, device=x.device)
    place[torch.argsort(like.reshape(-1), stable=True)] = torch.linspace(0, 1, x.numel(), dtype=torch.double).to(
        x.device
    )
    where = (x.double() - low) / span if span > 0 else torch.full_like(x, 0.5, dtype=torch.double)
    return (x.double() + gap / 10 * (place.reshape(x.shape) - where)).to(x.dtype)


def exchanged(batch: Batch, amount: int) -> Iterator[Proposal]:
    """The scores of the batch in other places, so many times."""
    draw = torch.Generator().manual_seed(0)
    for number in range(amount):
        moved = {}
        for name, x in batch.scores.items():
            flat = x.detach().reshape(-1)
            moved[name] = flat[torch.randperm(len(flat), generator=draw).to(flat.device)].reshape(x.shape)
        yield Proposal(f"scores exchanged, {number}", lambda moved=moved: _at(batch, moved), True)  # type: ignore[misc]


def _score_guesses(batch: Batch) -> Iterator[tuple[str, dict[str, Tensor]]]:
    targets = {key: value for key, value in batch.targets.items() if isinstance(value, Tensor) and value.numel()}
    for key, target in targets.items():
        for name, guess in _guesses(key):
            scores = {score: guess(target, like) for score, like in batch.scores.items()}
            fitting = {score: found for score, found in scores.items() if found is not None}
            if fitting:
                yield name, {**{score: value.detach() for score, value in batch.scores.items()}, **fitting}
    for name, fitting in named_scores(batch.targets, batch.scores):
        yield name, {**{score: value.detach() for score, value in batch.scores.items()}, **fitting}
    if len(batch.scores) > 1:
        first = next(iter(batch.scores))
        spread = {key: torch.full_like(value, _SURE if key == first else -_SURE) for key, value in batch.scores.items()}
        yield f"{first} above all others", {key: value.detach() for key, value in spread.items()}


def _guesses(key: str) -> Iterator[tuple[str, Callable[[Tensor, Tensor], Tensor | None]]]:
    yield key, same
    yield f"{key}, centred", centred
    yield f"one-hot of {key}", one_hot


def same(target: Tensor, like: Tensor) -> Tensor | None:
    """The target itself, as scores."""
    if target.is_complex():
        return None
    if target.shape != like.shape:
        squeezed = [size for size in like.shape if size != 1] == [size for size in target.shape if size != 1]
        if not squeezed or target.numel() != like.numel():
            return None
        target = target.reshape(like.shape)
    return target.detach().to(like.device, like.dtype)


def centred(target: Tensor, like: Tensor) -> Tensor | None:
    """The target spread around zero: right for logits, where the target itself is right for probabilities."""
    found = same(target, like)
    if found is None:
        return None
    low, high = found.amin(), found.amax()
    if not bool(high > low):
        # one value only: a label says on which side of one half it is
        return torch.where(found > 0.5, _SURE, -_SURE).to(found.dtype)
    return ((found - low) / (high - low) * 2 - 1) * _SURE


def one_hot(target: Tensor, like: Tensor) -> Tensor | None:
    """The class named by the target wins along the axis that the target lacks."""
    if target.is_complex() or not bool((target == target.long()).all()):
        return None
    for axis in _class_axes(tuple(target.shape), tuple(like.shape)):
        classes = like.shape[axis]
        lacking = [size for place, size in enumerate(like.shape) if place != axis]
        named = target.detach().to(like.device).long().reshape(lacking)
        inside = (named >= 0) & (named < classes)
        if bool(inside.double().mean() >= 0.5):  # the others may mean "ignore"
            hot = torch.zeros_like(like).detach().scatter_(axis, named.clamp(0, classes - 1).unsqueeze(axis), 1.0)
            return (hot * 2 - 1) * _SURE
    return None


def _class_axes(target: tuple[int, ...], scores: tuple[int, ...]) -> list[int]:
    """Axes of the scores without which they have the target's shape, the usual ones (1, last) first."""
    target = tuple(size for size in target if size != 1)
    axes = dict.fromkeys([1, len(scores) - 1, *range(len(scores))]) if len(scores) > 1 else {0: None}
    return [
        axis
        for axis in axes
        if axis < len(scores) and tuple(n for i, n in enumerate(scores) if i != axis and n != 1) == target
    ]


def _structural(batch: Batch) -> Iterator[Proposal]:
    """Of an order, binaries name the lower class first: all true is ascending, all false descending."""
    size, device = len(batch.bits), batch.bits.device
    yield Proposal(LARGEST, lambda: _by_outcome(batch, 1))
    yield Proposal(SMALLEST, lambda: _by_outcome(batch, -1))
    # not opposites: by construction the first has the larger value, which says nothing about the direction
    yield Proposal("items by influence", lambda: by_influence(batch, 1), dear=True)
    yield Proposal("items against their influence", lambda: by_influence(batch, -1), dear=True)
    yield Proposal(ALL_TRUE, lambda: torch.ones(size, dtype=torch.bool, device=device))
    yield Proposal(ALL_FALSE, lambda: torch.zeros(size, dtype=torch.bool, device=device))
    for key, target in batch.targets.items():
        if isinstance(target, Tensor) and target.numel() and not target.is_complex():
            up, down = f"places by {key}", f"places by -({key})"
            yield Proposal(up, lambda target=target: _by_places(batch, target), False, down)  # type: ignore[misc]
            yield Proposal(down, lambda target=target: _by_places(batch, -target.double()))  # type: ignore[misc]


def _by_outcome(batch: Batch, sign: int) -> Tensor | None:
    """In every row of a choose step the candidate with the largest (smallest) outcome wins; orders descend (ascend)."""
    bits, changed = torch.full_like(batch.bits, sign < 0), False
    for leaf in batch.leaves:
        if leaf.layout.kind == "choose" and leaf.layout.outcomes.ndim == 2:
            outcomes = sign * leaf.layout.outcomes.double().reshape(-1)
            none = torch.zeros(leaf.layout.size, dtype=torch.bool, device=bits.device)
            bits[leaf.start : leaf.stop] = leaf.layout.compared(outcomes, none)
            changed = True
        elif leaf.layout.kind == "margin" and leaf.layout.outcomes.ndim == 2:
            bits[leaf.start : leaf.stop] = leaf.layout.chosen((sign * leaf.layout.outcomes.double()).argmax(-1))
            changed = True
    return bits if changed else None


def _by_places(batch: Batch, target: Tensor) -> Tensor | None:
    """Operands in the order of a target with as many entries; integers encoded as they are."""
    bits, changed = batch.bits.clone(), False
    values = target.detach().to(bits.device).double().reshape(-1)
    for leaf in batch.leaves:
        layout = leaf.layout
        if layout.kind in ("order", "choose") and layout.keys.numel() == len(values):
            bits[leaf.start : leaf.stop] = layout.compared(values, bits[leaf.start : leaf.stop])
            changed = True
        elif layout.kind == "margin" and layout.keys.numel() == len(values):
            bits[leaf.start : leaf.stop] = layout.chosen(values.reshape(layout.n_rows, -1).argmax(-1))
            changed = True
        elif hasattr(layout, "encoded") and layout.n_rows == len(values):
            bits[leaf.start : leaf.stop] = layout.encoded(values.round())
            changed = True
    return bits if changed else None


def possible(batch: Batch, bits: Tensor) -> Tensor:
    """The configuration without contradictions inside one comparison: what is greater is also greater or equal."""
    if all(len(getattr(leaf.layout, "kept", ())) < 2 for leaf in batch.leaves):
        return bits
    bits = bits.clone()
    for leaf in batch.leaves:
        kept = getattr(leaf.layout, "kept", ())
        if len(kept) == 2:
            pair = bits[leaf.start : leaf.stop].view(2, -1)
            pair[1] |= pair[0]
    return bits


def settled(batch: Batch, bits: Tensor) -> Tensor:
    """The same winners, by more: every candidate of the class that wins its row beats all others of the row."""
    if all(leaf.layout.kind not in ("choose", "margin") for leaf in batch.leaves):
        return bits
    bits = bits.clone()
    for leaf in batch.leaves:
        layout = leaf.layout
        if layout.kind == "choose" and layout.size:
            mine = bits[leaf.start : leaf.stop]
            wins = (layout.classes == layout.winner_class(mine.unsqueeze(0))[0].unsqueeze(1)).reshape(-1)
            bits[leaf.start : leaf.stop] = layout.compared(wins.to(torch.uint8), mine)
        elif layout.kind == "margin" and layout.size:
            bits[leaf.start : leaf.stop] = layout.settled(bits[leaf.start : leaf.stop])
    return bits


def free(batch: Batch) -> bool:
    """Whether every configuration is one of some scores, or at least one of some ranking or choice."""
    moved = sum(
        int(leaf.layout.keys.numel() if leaf.layout.kind in ("order", "choose") else leaf.layout.n_rows)
        for leaf in batch.leaves
    )
    return moved <= sum(value.numel() for value in batch.scores.values())


def improved(batch: Batch, start: Tensor, sign: int, rounds: int = 8) -> Tensor:
    """Greedy: flip what improves (all of it if that is better still, else the best of every row) until none does."""
    bits = start
    for _ in range(rounds):
        better = _round(batch, bits, sign)
        if better is None:
            break
        bits = better
    return bits


def _round(batch: Batch, bits: Tensor, sign: int) -> Tensor | None:
    size = len(bits)
    if not size:
        return None
    numbers = sum(
        int(leaf.layout.keys.numel() if leaf.layout.kind == "choose" else leaf.layout.numel) for leaf in batch.leaves
    )
    most = size if batch.row_of is None else int(torch.bincount(batch.row_of).max())
    if most * max(batch.run_cost, numbers) > _WORK:
        return None
    rank, rows = _ranks(batch)
    flips = _table(rank, rows, batch.n_rows, size)
    flips = torch.cat([flips.new_full((1, flips.shape[1]), -1), flips])
    if rows is None:
        gains = sign * batch.values(bits, flips).double().unsqueeze(1)
    else:
        gains = sign * batch.row_values(bits, flips).double()
    gains = torch.nan_to_num(gains[1:] - gains[0], nan=-1.0)
    best, at = gains.max(0)
    of = torch.zeros(size, dtype=torch.long, device=bits.device) if rows is None else rows
    tries = torch.stack([gains[rank, of] > 1e-12, (rank == at[of]) & (best[of] > 1e-12)])
    if not bool(tries.any()):
        return None
    options = torch.stack([possible(batch, option) for option in bits ^ tries])
    values = torch.nan_to_num(sign * batch.values_of(torch.cat([options, bits.unsqueeze(0)])).double(), nan=-torch.inf)
    return options[int(values[:2].argmax())] if bool(values[:2].max() > values[2] + 1e-12) else None


def _ranks(batch: Batch) -> tuple[Tensor, Tensor | None]:
    """Which evaluation flips each binary, and the row it is in."""
    size, rows = len(batch.bits), batch.row_of
    running = torch.arange(size, device=batch.bits.device)
    if rows is None:
        return running, None
    order = torch.argsort(rows, stable=True)
    counts = torch.bincount(rows, minlength=batch.n_rows)
    rank = torch.empty_like(running)
    rank[order] = running - (counts.cumsum(0) - counts)[rows[order]]
    return rank, rows


def _table(rank: Tensor, rows: Tensor | None, n_rows: int, size: int) -> Tensor:
    """Flips [evaluations, rows]: one binary of each row."""
    if rows is None:
        return torch.arange(size, device=rank.device).unsqueeze(1)
    table = torch.full((int(rank.max()) + 1, n_rows), -1, device=rank.device)
    table[rank, rows] = torch.arange(size, device=rank.device)
    return table

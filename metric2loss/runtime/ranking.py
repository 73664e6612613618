"""Differences of order and choose: pairs of items that the rest of the program can tell apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metric2loss.rules.choose import smallest
from metric2loss.rules.order import descends
from metric2loss.runtime import settings
from metric2loss.runtime.arrays import Array
from metric2loss.runtime.late import Once
from metric2loss.runtime.layouts import ChooseLayout, Fixed, MarginLayout, OrderLayout
from metric2loss.runtime.layouts.order import Arrangement
from metric2loss.runtime.named import right_candidate
from metric2loss.runtime.native import arguments, axis_of, called, index_part
from metric2loss.runtime.recorded import Differences, Operand
from metric2loss.runtime.side import OneEach, OneRow, Side
from metric2loss.runtime.tabulate import tabulated


def order(
    x: Any,
    *args: Any,
    using: str = "argsort",
    told_apart_by: tuple[Any, ...] | None = None,
    supposed_apart_by: tuple[Any, ...] | None = None,
    **kwargs: Any,
) -> Differences:
    """Differences of the items of every row.

    told_apart_by: the arrays that the order gathers; items with equal entries in all of them need no binary between them.
    supposed_apart_by: the same as a guess, where the text does not show what is gathered; also a target item a row.
    """
    operand = Operand.of(x)
    chosen = torch.as_tensor(index_part(called(using, operand, args, kwargs)))
    if not operand.active:
        return passive(chosen, operand.library)
    facts = arguments(using, operand.library, args, kwargs)
    arrangement = Arrangement(tuple(operand.tensor.shape), axis_of(facts, -1))
    rows = arrangement.rows(operand.tensor)
    keys = rows if descends(using, facts) else -rows
    listed = (arrangement.rows(chosen) if arrangement.axis is not None else chosen.reshape(1, -1)).to(keys.device)
    if told_apart_by is None and settings.current().suppose:
        told_apart_by = _fitting(supposed_apart_by or (), arrangement, keys)
        settings.current().guessed |= told_apart_by is not None
    pruned = told_apart_by is not None and settings.current().prune
    low = _lower(told_apart_by[0], keys) if pruned and told_apart_by and len(told_apart_by) == 1 else None
    classes = None
    if low is None:
        classes = _classes(told_apart_by or (), arrangement, keys) if pruned else _all_distinct(keys)
    layout = OrderLayout(classes, keys.reshape(-1), arrangement, listed.shape[-1], low)
    ranks = Once(lambda: _ranked(using, facts, keys.detach(), listed))
    native = None if using == "argpartition" else layout.placed(listed.unsqueeze(0))[0]
    return Differences(layout, layout.differences, lambda: layout.ranked(ranks()), operand.library, native, ranks)


def _ranked(using: str, facts: dict[str, Any], keys: Tensor, listed: Tensor) -> Tensor:
    """Place of every item in the user's result; items that topk leaves out come after, by their keys."""
    rows, n = keys.shape
    if using == "argpartition":  # the parts are the user's, the order inside a part is that of the keys
        kth = int(np.max(facts["kth"])) % n
        place = torch.empty_like(listed).scatter_(1, listed, torch.arange(n, device=keys.device).expand(rows, n))
        part = (place >= kth).long() + (place > kth).long()
        by_key = torch.argsort(torch.gather(keys, 1, listed), dim=-1, descending=True, stable=True)
        by_key = torch.gather(listed, 1, by_key)  # equal ones as the user's call has them
        listed = torch.gather(by_key, 1, torch.argsort(torch.gather(part, 1, by_key), dim=-1, stable=True))
    elif listed.shape[-1] < n:
        left_out = torch.ones_like(keys, dtype=torch.bool).scatter_(1, listed, False)
        by_key = torch.argsort(keys, dim=-1, descending=True, stable=True)
        rest = by_key[torch.gather(left_out, 1, by_key)].reshape(rows, -1)
        listed = torch.cat([listed, rest], -1)
    return torch.empty_like(listed).scatter_(1, listed, torch.arange(n, device=keys.device).expand(rows, n))


def _fitting(supposed: tuple[Any, ...], arrangement: Arrangement, keys: Tensor) -> tuple[Any, ...] | None:
    """The guesses that can be about the ordered items: an entry an item, or the number of one item a row."""
    found: list[Any] = []
    rows, n = keys.shape
    for told in supposed:
        shape = tuple(getattr(told, "shape", ()))
        if shape and (shape == arrangement.shape or (len(shape) == 1 and shape[0] == n and rows == 1)):
            found.append(told)
        elif shape and rows > 1 and int(np.prod(shape)) == rows:
            target = torch.as_tensor(told, device=keys.device).reshape(rows, 1)
            if target.is_floating_point() or bool((target < 0).any() | (target >= n).any()):
                return None
            found.append(arrangement.back((torch.arange(n, device=keys.device) == target).unsqueeze(0))[0])
    return tuple(found) or None


def _all_distinct(keys: Tensor) -> Tensor:
    return torch.arange(keys.shape[-1], device=keys.device).expand(keys.shape)


def _lower(told: Any, keys: Tensor) -> Side | None:
    """The lower class of a single row whose items are told apart by one array of two neighbouring integers, or truth values."""
    rows, n = keys.shape
    if rows != 1 or type(told) is not np.ndarray or told.shape != (n,) or told.dtype.kind not in "biu" or not n:
        return None
    least = told.min()
    if int(told.max()) - int(least) > 1:
        return None
    lower = told == least
    return OneRow(lower) if keys.device.type == "cpu" else Side.of(torch.from_numpy(lower).to(keys.device).unsqueeze(0))


def _classes(told_apart_by: tuple[Any, ...], arrangement: Arrangement, keys: Tensor) -> Tensor:
    """LongTensor[rows, n]: equal numbers for items with equal entries in all the arrays."""
    numbered = [ids for told in told_apart_by for ids in _numbered(told, arrangement, keys)]
    if len(numbered) == 1:
        return numbered[0]
    classes = torch.zeros(keys.shape, dtype=torch.long, device=keys.device)
    for ids in numbered:
        joint = classes * (int(ids.max()) + 1 if ids.numel() else 1) + ids
        classes = torch.unique(joint, return_inverse=True)[1] if len(told_apart_by) > 1 else joint
    return classes


def _numbered(told: Any, arrangement: Arrangement, keys: Tensor) -> list[Tensor]:
    """One array as numbers [rows, n] that are equal where its entries are; trailing axes give several."""
    ids = _from_zero(told if isinstance(told, Tensor) else np.asarray(getattr(told, "exact", told))).to(keys.device)
    shape, n = arrangement.shape, keys.shape[-1]
    if ids.ndim == 1 and len(ids) == n:
        return [ids.expand(keys.shape)]
    if ids.ndim > len(shape):
        return [arrangement.rows(part) for part in ids.reshape(*shape, -1).movedim(-1, 0)]
    return [arrangement.rows(ids.expand(shape))]


def _from_zero(values: Tensor | np.ndarray) -> Tensor:
    """0, 1, 2 … for the distinct entries, in their order."""
    if isinstance(values, np.ndarray):
        if values.dtype.kind in "biu" and values.size and int(values.max()) - (least := int(values.min())) <= 1:
            return torch.from_numpy((values != least).astype(np.int64))
        return torch.from_numpy(np.unique(values, return_inverse=True)[1].reshape(values.shape))
    numbers: Tensor = torch.unique(values.detach(), return_inverse=True)[1]
    return numbers


def choose(
    x: Any,
    *args: Any,
    using: str = "argmax",
    outcome: Callable[[Any], Any] | None = None,
    classes: Any = None,
    **kwargs: Any,
) -> Differences:
    """Differences of the candidates of every row.

    outcome: what the program makes of the index, row by row; the result is its value, and candidates of equal value need no
    binary between them.  classes: what the program makes of the index in several places (a tuple), or numbers
    [rows, candidates]; they only prune, the result is the index.
    """
    operand = Operand.of(x)
    native = index_part(called(using, operand, args, kwargs))
    if not operand.active:
        return passive(_tensor(native if outcome is None else outcome(native)), operand.library)
    axis = axis_of(arguments(using, operand.library, args, kwargs), None)
    arrangement = Arrangement(tuple(operand.tensor.shape), axis)
    rows = arrangement.rows(operand.tensor)
    keys = -rows if smallest(using) else rows
    chosen = _tensor(native).to(keys.device)
    n_rows, n = keys.shape
    low: Side | None = None
    numbers: Tensor | None = None  # of two classes, of which the lower one is known, they are not needed
    outcomes: Tensor | None = None
    right = right_candidate(outcome, native, n) if outcome is not None else None
    if right is not None:
        shape, low = tuple(chosen.shape), OneEach(right[0].to(keys.device), n)
    elif outcome is not None:
        table = tabulated(outcome, native, n_rows, n, operand.library).to(keys.device)
        shape = tuple(table.shape[1:])
        table = table.reshape(n, n_rows, -1).transpose(0, 1)
        outcomes = table.squeeze(-1).contiguous() if table.shape[-1] == 1 else table
        if _is_yes_or_no(table):
            low = Side.smaller(outcomes)
        else:
            numbers = _smaller_first(_equal_rows(table))
    else:
        outcomes = torch.arange(n, device=keys.device).expand(n_rows, n)
        numbers, shape = outcomes, tuple(chosen.shape)
        if classes is not None and settings.current().prune:
            numbers = _smaller_first(_told_apart(classes, native, n_rows, n, operand.library).to(keys.device))
    arranged = (numbers, keys.reshape(-1), outcomes, shape, outcome is None)
    encoding = settings.current().encoding
    if encoding != "pairs":
        by_class = MarginLayout(*arranged, soft=encoding == "margin-lse", low=low)
        native = _chosen(by_class, chosen, right)
        return Differences(by_class, by_class.differences, lambda: by_class.chosen(chosen), operand.library, native)
    layout = ChooseLayout(*arranged, low=low)
    ranks = Once(lambda: _winner_first(keys.detach(), chosen.reshape(-1)))
    native = _chosen(layout, chosen, right)
    return Differences(layout, layout.differences, lambda: layout.ranked(ranks()), operand.library, native, ranks)


def _chosen(layout: ChooseLayout | MarginLayout, chosen: Tensor, right: tuple[Tensor, Tensor] | None) -> Tensor:
    """The outcome of the user's winners; where one candidate of each row is right, whether it is that is known."""
    if right is not None:
        known = right[1].to(chosen.device)
        return known if known.shape == layout.shape else known.reshape(layout.shape)
    return layout.of_winners(chosen.reshape(1, -1))[0]


def _told_apart(classes: Any, native: Any, n_rows: int, n: int, library: str) -> Tensor:
    """Numbers [rows, candidates], equal for candidates of which the program makes the same everywhere."""
    if not callable(classes):
        return _equal_rows(_tensor(classes).expand(n_rows, n).unsqueeze(-1))
    parts = classes(native)
    amount = len(parts) if isinstance(parts, tuple) else 1
    tables = []
    for place in range(amount):

        def one(index: Any, k: int = place) -> Any:
            return classes(index)[k] if amount > 1 else classes(index)

        table = tabulated(one, native, n_rows, n, library)
        if table[0].numel() % max(n_rows, 1):
            return torch.arange(n).expand(n_rows, n)
        tables.append(table.reshape(n, n_rows, -1).transpose(0, 1).double())
    return _equal_rows(torch.cat(tables, -1))


def _winner_first(keys: Tensor, winner: Tensor) -> Tensor:
    """Place of each candidate: the user's winner, then by key."""
    n_rows, n = keys.shape
    by_key = torch.argsort(keys, dim=-1, descending=True, stable=True)
    places = torch.arange(1, n + 1, device=keys.device).expand(n_rows, n)
    rank = torch.empty_like(by_key).scatter_(1, by_key, places)
    return rank.scatter_(1, winner.unsqueeze(1), 0)


def _equal_rows(table: Tensor) -> Tensor:
    """Numbers [rows, n] that are equal where the entries [rows, n, k] are."""
    numbers = torch.zeros(table.shape[:2], dtype=torch.long, device=table.device)
    for column in table.unbind(-1):
        ids = torch.unique(
            column.nan_to_num(nan=-1e300) if column.is_floating_point() else column, return_inverse=True
        )[1]
        numbers = numbers * (int(ids.max()) + 1 if ids.numel() else 1) + ids
        if table.shape[-1] > 1:
            numbers = torch.unique(numbers, return_inverse=True)[1]
    return numbers


def _is_yes_or_no(table: Tensor) -> bool:
    return table.dtype == torch.bool and table.shape[-1] == 1


def _smaller_first(numbers: Tensor) -> Tensor:
    """In rows of two classes the smaller class gets the lower number: it wins when one of its members beats all others."""
    low, high = numbers.amin(1, keepdim=True), numbers.amax(1, keepdim=True)
    two = ((numbers == low) | (numbers == high)).all(1, keepdim=True)
    lower_is_larger = (numbers == low).sum(1, keepdim=True) >= (numbers == high).sum(1, keepdim=True)
    return torch.where(two & lower_is_larger, low + high - numbers, numbers)


def passive(outcome: Tensor, library: str) -> Differences:
    """A step on something that is no score: the user's result, no binaries."""
    nothing = torch.zeros(0, device=outcome.device)
    return Differences(Fixed(outcome), nothing, nothing.bool(), library)


def _tensor(x: Any) -> Tensor:
    if isinstance(x, Array):
        x = x.exact
    return x.detach() if isinstance(x, Tensor) else torch.from_numpy(np.asarray(x))

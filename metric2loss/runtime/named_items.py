"""From targets that name things to scores that say so: lists of relevant items, sequences of labels, columns for several scores."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

_SURE = 10.0


def named_scores(targets: Mapping[str, Any], scores: Mapping[str, Tensor]) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """Each way to read a target as names, with the scores it asks for; scores it says nothing about are left out."""
    for key, target in targets.items():
        found = {name: _items(target, like) for name, like in scores.items()}
        known = {name: x for name, x in found.items() if x is not None}
        if known:
            yield f"items in {key}", known
        for padding, between in ((0, False), (-1, False), (0, True), (-1, True)):
            paths = {name: _sequences(target, like, padding, between) for name, like in scores.items()}
            spelled = {name: x for name, x in paths.items() if x is not None}
            if spelled:
                yield f"sequences of {key}, then {padding}{', apart' if between else ''}", spelled
        columns = _columns(target, scores)
        if columns:
            yield f"columns of {key}", columns


def _items(target: Any, like: Tensor) -> Tensor | None:
    """High for the items listed, for every row of scores or for the only one."""
    if like.ndim == 1:
        rows: list[Any] | None = [target] if _is_list_of_places(target, len(like)) else None
    else:
        rows = _rows(target, len(like)) if like.ndim == 2 else None
        if rows is not None and not all(_is_list_of_places(row, like.shape[1]) for row in rows):
            return None
    if rows is None:
        return None
    high = torch.full_like(like, -_SURE).detach().reshape(len(rows), -1)
    for row, items in enumerate(rows):
        if len(items):
            high[row, torch.tensor([int(item) for item in items], device=like.device)] = _SURE
    return high.reshape(like.shape)


def _rows(target: Any, amount: int) -> list[Any] | None:
    """One entry a row of scores, by place or under its number."""
    if isinstance(target, Mapping):
        return [target[row] for row in range(amount)] if all(row in target for row in range(amount)) else None
    if isinstance(target, (Tensor, np.ndarray)):
        return list(target) if target.ndim and len(target) == amount else None
    return list(target) if isinstance(target, (list, tuple)) and len(target) == amount else None


def _is_list_of_places(items: Any, amount: int) -> bool:
    if isinstance(items, Tensor):
        items = items.tolist() if items.ndim == 1 and not items.is_floating_point() else None
    if not isinstance(items, Collection) and not isinstance(items, np.ndarray):
        return False
    if isinstance(items, (str, bytes, Mapping)):
        return False
    return all(isinstance(item, (int, np.integer)) and 0 <= item < amount for item in items)


def _sequences(target: Any, like: Tensor, padding: int, between: bool) -> Tensor | None:
    """The labels of each row in turn, then the padding class; between: one padding between equal neighbours."""
    rows = _rows(target, len(like)) if like.ndim == 3 else None
    if rows is None:
        return None
    length, classes = like.shape[1:]
    blank = padding % classes
    wins = torch.full(like.shape[:2], blank, dtype=torch.long, device=like.device)
    for row, labels in enumerate(rows):
        if not _is_list_of_places(labels, classes):
            return None
        path = [int(label) for label in labels]
        if between:
            path = [x for a, b in zip(path, [*path[1:], None]) for x in ((a, blank) if a == b else (a,))]
        if len(path) > length:
            return None
        if path:
            wins[row, : len(path)] = torch.tensor(path, device=like.device)
    hot = torch.full_like(like, -_SURE).detach()
    return hot.scatter_(2, wins.unsqueeze(2), _SURE)


def _columns(target: Any, scores: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Where there are several scores: the k-th column of the target names the winner of the k-th."""
    likes = list(scores.items())
    if len(likes) < 2 or not isinstance(target, Tensor) or target.ndim != 2 or target.is_floating_point():
        return {}
    if target.shape[1] != len(likes) or any(x.ndim != 2 or len(x) != len(target) for _, x in likes):
        return {}
    found = {}
    for place, (name, like) in enumerate(likes):
        winner = target[:, place].long().to(like.device)
        if bool((winner < 0).any()) or bool((winner >= like.shape[1]).any()):
            return {}
        found[name] = torch.full_like(like, -_SURE).detach().scatter_(1, winner.unsqueeze(1), _SURE)
    return found

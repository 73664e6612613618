"""Scores that are no array: dicts of numbers, lists of rows of different lengths, and what nests them, as one flat tensor and back.

`{"q1": {"d3": 0.2, …}, …}` is flattened in its own order; a `Form` puts numbers (plain, active or many at once) where they stood.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metric2loss import names
from metric2loss.runtime.failures import failure

Path = tuple[Any, ...]


@dataclass(frozen=True)
class Form:
    """The shape of nested scores.  leaves: where each number or array stands, and its shape; `kind` of the containers by path."""

    leaves: tuple[tuple[Path, tuple[int, ...]], ...]
    containers: Mapping[Path, tuple[type, tuple[Any, ...]]]

    def filled(self, numbers: Any, leaf: Callable[[Any], Any] = lambda x: x) -> Any:
        """The nested scores with the entries of a flat array; `leaf` turns what was a plain number into what it is to be."""
        parts, start = {}, 0
        for path, shape in self.leaves:
            size = int(np.prod(shape, dtype=np.int64))
            parts[path] = numbers[start : start + size].reshape(shape) if shape else leaf(numbers[start])
            start += size
        return self._built((), parts)

    def _built(self, path: Path, parts: Mapping[Path, Any]) -> Any:
        if path in parts:
            return parts[path]
        kind, keys = self.containers[path]
        found = {key: self._built((*path, key), parts) for key in keys}
        return _container(kind, found)

    def aligned(self, target: Any) -> Tensor | None:
        """float64 [n]: what a target says about every score, under the same keys; None where it has nothing of that form.

        Keys that a dict lacks count 0; where it ends in a set or list of keys (the relevant ones), those count 1.
        """
        if any(shape for _, shape in self.leaves):
            return None
        named = {path: issubclass(kind, dict) for path, (kind, _) in self.containers.items()}
        found = [_looked_up(target, path, named) for path, _ in self.leaves]
        known = [value for value in found if value is not None]
        if not known or not any(known):
            return None
        return torch.tensor([0.0 if value is None else value for value in found], dtype=torch.float64)


def _container(kind: Any, found: dict[Any, Any]) -> Any:
    if issubclass(kind, dict):
        made: dict[Any, Any] = {} if kind is dict else kind()
        made.update(found)
        return made
    return kind(found.values())


@dataclass(frozen=True)
class Column(Form):
    """A pandas Series, or the one column of a DataFrame that holds the scores."""

    frame: Any = None
    column: Any = None

    def filled(self, numbers: Any, leaf: Callable[[Any], Any] = lambda x: x) -> Any:
        if not isinstance(numbers, np.ndarray):
            raise failure(
                "M2L301",
                "pandas holds plain numbers, and a score would be lost in it",
                "only ranks can stand for the scores of a DataFrame, and this metric needs more than their order",
                "give the metric the columns as NumPy arrays",
            )
        if self.column is None:
            return type(self.frame)(numbers, index=self.frame.index, name=self.frame.name)
        return self.frame.assign(**{self.column: numbers})

    def aligned(self, target: Any) -> Tensor | None:
        if not _pandas(target) or target.ndim != 1 or len(target) != len(self.frame) or target.dtype.kind not in "biuf":
            return None
        return torch.as_tensor(np.asarray(target, dtype=float))


def _pandas(x: Any) -> bool:
    return hasattr(x, "iloc") and hasattr(x, "index")


def _score_column(frame: Any) -> Any:
    """The column of a DataFrame that holds real numbers, by its name where there are several."""
    real = tuple(name for name in frame.columns if _is_real(frame[name]))
    named = names.find_scores(tuple(str(name) for name in real), ())
    found = real if len(real) == 1 else () if isinstance(named, names.Undecided) else named
    if len(found) != 1:
        raise failure(
            "M2L104",
            "no column of the DataFrame is known to hold the scores",
            f"columns of real numbers: {', '.join(map(str, real)) or 'none'}",
            "name the column `score`, or give the metric its columns as arrays",
        )
    return found[0]


def _is_real(column: Any) -> bool:
    kind = getattr(column.dtype, "kind", "")
    return kind == "f" or (kind == "O" and len(column) > 0 and isinstance(column.iloc[0], Tensor))


def is_nested(scores: Any) -> bool:
    """Whether scores are no array: a dict, pandas, or a list that holds one or whose rows differ in length."""
    if isinstance(scores, (Tensor, np.ndarray)):
        return False
    if isinstance(scores, Mapping) or _pandas(scores):
        return True
    if not isinstance(scores, (list, tuple)) or not scores:
        return False
    if any(isinstance(part, Mapping) for part in scores):
        return True
    lengths = {np.shape(part) if not isinstance(part, (list, tuple)) else ("row", len(part)) for part in scores}
    return len(lengths) > 1 or any(is_nested(part) for part in scores)


def flattened(scores: Any) -> tuple[Tensor, Form]:
    """The numbers of nested scores in one tensor, with their graphs, and the form to put them back; TypeError without any."""
    if _pandas(scores):
        column = None if scores.ndim == 1 else _score_column(scores)
        entries = list(scores if column is None else scores[column])
        numbers = torch.stack([_number(x).reshape(()).double() for x in entries])  # tensors too: a column of objects
        return numbers, Column((((), tuple(numbers.shape)),), {}, scores, column)
    containers: dict[Path, tuple[type, tuple[Any, ...]]] = {}
    found = list(_leaves(scores, (), containers))
    if not found:
        return torch.zeros(0, dtype=torch.float64), Form((), containers)
    tensors = [_number(x) for _, x in found]
    kinds = {x.dtype for x in tensors}
    dtype = kinds.pop() if len(kinds) == 1 else torch.float64
    leaves = tuple((path, tuple(x.shape)) for (path, _), x in zip(found, tensors, strict=True))
    return torch.cat([x.reshape(-1).to(dtype) for x in tensors]), Form(leaves, containers)


def _leaves(x: Any, path: Path, containers: dict[Path, tuple[type, tuple[Any, ...]]]) -> Iterator[tuple[Path, Any]]:
    if isinstance(x, Mapping):
        parts = dict(x)
    elif isinstance(x, (list, tuple)):
        parts = dict(enumerate(x))
    else:
        yield path, x
        return
    kind = type(x) if isinstance(x, (dict, list)) or type(x) is tuple else dict if isinstance(x, Mapping) else tuple
    containers[path] = kind, tuple(parts)
    for key, part in parts.items():
        yield from _leaves(part, (*path, key), containers)


def _number(x: Any) -> Tensor:
    if isinstance(x, Tensor):
        return x
    array = np.asarray(x)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"an entry is {type(x).__name__}, which is no number")
    return torch.as_tensor(array if array.dtype.kind == "f" else array.astype(float))


def _looked_up(target: Any, path: Path, named: Mapping[Path, bool]) -> float | None:
    """What the target has at a path; named: whether the keys below a path are names, not places."""
    at = target
    for place, key in enumerate(path):
        last = place == len(path) - 1
        if isinstance(at, Mapping):
            if last and key not in at:
                return 0.0
            at = at.get(key)
        elif isinstance(at, (set, frozenset, list, tuple, np.ndarray)) and last and named[path[:place]]:
            return float(key in at)
        elif isinstance(at, (list, tuple, np.ndarray)) and isinstance(key, int) and key < len(at):
            at = at[key]
        else:
            return None
    return float(at) if isinstance(at, (int, float, bool, np.number)) else None


def of_torch(scores: Any) -> bool:
    """Whether a metric takes the scores as tensors: single numbers inside of dicts and lists are plain ones to it."""
    if isinstance(scores, Tensor):
        return True
    if not is_nested(scores) or _pandas(scores):
        return False
    parts = scores.values() if isinstance(scores, Mapping) else scores
    return any(of_torch(part) and not (isinstance(part, Tensor) and part.ndim == 0) for part in parts)


def like(scores: Any, moved: Tensor, plain: bool = True) -> Any:
    """Other numbers, flat, in the form of nested scores: tensors where there are tensors, else plain if that is asked."""
    _, form = flattened(scores)
    if of_torch(scores) or not (plain or _pandas(scores)):
        return form.filled(moved)
    return form.filled(moved.detach().cpu().double().numpy(), float)

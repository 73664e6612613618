"""Which arrays share memory: what is written into a view of an array is written into the array, and into its other views.

Arrays are never written in place, for their tensors are part of a graph; a write makes new values, and is passed on here.
An array and its views are told apart by positions: `how`, applied to the numbers of the entries of the array, gives those of
the view, as a view of theirs exactly where NumPy makes one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from weakref import ref

import numpy as np
import torch

from metric2loss.runtime import indexing

How = Callable[[np.ndarray], np.ndarray]
_MANY = 64  # views that are listed before those that are gone are dropped
_BASIC = frozenset((int, slice, type(None), type(...), np.int64))

# functions that may hand back views of their first argument
FUNCTIONS = frozenset(
    ("reshape", "ravel", "transpose", "swapaxes", "moveaxis", "rollaxis", "squeeze", "expand_dims", "diagonal", "split")
    + ("array_split", "hsplit", "vsplit", "flip", "fliplr", "flipud", "rot90", "matrix_transpose", "permute_dims")
    + ("atleast_1d", "atleast_2d", "atleast_3d")
)


def basic(index: Any) -> bool:
    """Whether NumPy makes a view of the entries that an index names."""
    if type(index) in _BASIC:
        return True
    parts = index if type(index) is tuple else (index,)
    return all(type(part) in _BASIC or isinstance(part, np.integer) for part in parts)


def linked(parent: Any, view: Any, how: How) -> Any:
    """The view, which from now on shares its entries with `parent`."""
    view._link = parent, how
    known = parent._views
    if known is None:
        parent._views = [ref(view)]
    elif len(known) < _MANY:
        known.append(ref(view))
    else:
        parent._views = [one for one in known if one() is not None] + [ref(view)]
    return view


def handed_back(real: Callable[..., Any], args: Any, kwargs: Any, found: Any, kind: type) -> Any:
    """What one of FUNCTIONS made of the array `args[0]`: arrays that share its memory, where they do."""
    array, rest = args[0], args[1:]

    def shared(part: Any, number: int | None) -> Any:
        part = kind(part) if isinstance(part, np.ndarray) else part
        if not isinstance(part, kind) or part is array:
            return part
        return linked(array, part, partial(_again, real, rest, kwargs, number))

    if isinstance(found, (list, tuple)):
        return type(found)(shared(part, number) for number, part in enumerate(found))
    return shared(found, None)


def _again(real: Callable[..., Any], rest: Any, kwargs: Any, number: int | None, grid: np.ndarray) -> np.ndarray:
    found = real(grid, *rest, **kwargs)
    return found if number is None else found[number]  # type: ignore[no-any-return]


def passed_on(array: Any) -> None:
    """Writes the new values of an array to all that share them."""
    if array._link is None and not array._views:
        return
    root, places = _located(array)
    if root is not array:
        _write(root, places, array)
    grid = np.arange(root.size).reshape(root.shape)
    for view, at in _sharing(root, grid):
        if view is not array:
            _read(view, at, root)


def _located(array: Any) -> tuple[Any, np.ndarray]:
    """The array that owns the entries, and their places in it."""
    if array._link is not None:
        parent, how = array._link
        root, grid = _located(parent)
        places = how(grid)
        if np.may_share_memory(places, grid):
            return root, places
    return array, np.arange(array.size).reshape(array.shape)


def _sharing(array: Any, grid: np.ndarray) -> Iterator[tuple[Any, np.ndarray]]:
    for known in array._views or ():
        view = known()
        if view is not None and view._link is not None:
            places = view._link[1](grid)
            if np.may_share_memory(places, grid):
                yield view, places
                yield from _sharing(view, places)


def _write(root: Any, places: np.ndarray, view: Any) -> None:
    flat = places.reshape(-1)
    scored = _flags(root)
    scored.reshape(-1)[flat] = _flags(view).reshape(-1)
    tensor = None
    if scored.any() or root.batched or view.batched:
        at = torch.from_numpy(flat.copy())
        tensor = indexing.written(root.tensor.reshape(-1), at, view.tensor.reshape(-1)).reshape(root.shape)
    exact = None
    if not (root.batched or view.batched):
        exact = root._exact.copy()
        exact.reshape(-1)[flat] = view._exact.reshape(-1)
    root._exact, root._tensor = exact, tensor
    root._scored = None if scored.all() or not scored.any() else scored


def _read(view: Any, places: np.ndarray, root: Any) -> None:
    scored = _flags(root).reshape(-1)[places]
    view._exact = None if root._exact is None else root._exact.reshape(-1)[places]
    view._tensor = None
    if scored.any() or root.batched:
        view._tensor = root.tensor.reshape(-1)[torch.from_numpy(places.copy())]
    view._scored = None if scored.all() or not scored.any() else scored


def _flags(array: Any) -> np.ndarray:
    """Which entries are scores."""
    return np.full(array.shape, array.active) if array._scored is None else array._scored.copy()

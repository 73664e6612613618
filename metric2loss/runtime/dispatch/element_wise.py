"""Stand-ins for NumPy's ways to call a Python function on every entry: `vectorize`, `frompyfunc`, `fromiter`.

NumPy hands the entries over as plain numbers.  Here the function gets them one by one as they are, and its results are put
together; where no score is among them, NumPy does it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from metric2loss.runtime.arrays import Array
from metric2loss.runtime.batched import in_batch
from metric2loss.runtime.dispatch.reading import any_active, current, plain
from metric2loss.runtime.indexing import deep
from metric2loss.runtime.lenient import many


class Vectorized:
    """`np.vectorize(function)`; what it has no rule for is NumPy's own, which refuses scores."""

    def __init__(self, pyfunc: Any = None, otypes: Any = None, *args: Any, **kwargs: Any) -> None:
        self.pyfunc, self.otypes = pyfunc, otypes
        self._options = {**dict(zip(("doc", "excluded", "cache", "signature"), args)), **kwargs}
        self._plainly = not self._options.get("excluded") and not self._options.get("signature")
        if pyfunc is not None:
            functools.update_wrapper(self, pyfunc)

    @classmethod
    def like(cls, real: Any, function: Any) -> Vectorized:
        """That of an object there is, with a stand-in for its function."""
        return cls(function, real.otypes, excluded=real.excluded or None, cache=real.cache, signature=real.signature)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.pyfunc is None:  # `@np.vectorize(otypes=[float])`
            return Vectorized(args[0], self.otypes, **self._options)
        if not _met(args) or kwargs or not self._plainly:
            return np.vectorize(self.pyfunc, self.otypes, **self._options)(*args, **kwargs)
        shape, columns = _found(self.pyfunc, args)
        kinds = list(self.otypes) if isinstance(self.otypes, (str, list, tuple)) else [None] * len(columns)
        made = tuple(
            _together(column, shape, np.asarray(_exact(column[0])).dtype if kind is None else np.dtype(kind))
            for column, kind in zip(columns, kinds)
        )
        return made[0] if len(made) == 1 else made


def from_function(function: Callable[..., Any], nin: int, nout: int, **kwargs: Any) -> Callable[..., Any]:
    """`np.frompyfunc`: what comes back are objects, scores stay numbers."""
    real: Any = np.frompyfunc(function, nin, nout, **kwargs)

    def call(*args: Any, **options: Any) -> Any:
        if options or not _met(args):
            return real(*args, **options)
        shape, columns = _found(function, args)
        made = tuple(_together(column, shape, np.dtype(object)) for column in columns)
        return made[0] if nout == 1 else made

    return call


def from_iterable(items: Iterable[Any], dtype: Any, count: int = -1, **kwargs: Any) -> Any:
    """`np.fromiter`."""
    listed = list(items)
    if not _met(tuple(listed)):
        made = np.fromiter(listed, dtype, count, **kwargs)
        return Array(made) if in_batch() else made
    if count >= 0:
        if len(listed) < count:
            raise ValueError(f"iterator too short: Expected {count} but iterator had only {len(listed)} items.")
        listed = listed[:count]
    return _together(listed, (len(listed),), np.dtype(dtype))


def _met(args: tuple[Any, ...]) -> bool:
    return current() is not None and (any_active(args) or any(many(part) for part in deep(args)))


def _found(function: Callable[..., Any], args: tuple[Any, ...]) -> tuple[tuple[int, ...], list[list[Any]]]:
    """The shape of the arguments together, and each result's entries."""
    arrays = [x if isinstance(x, Array) else np.asarray(x) for x in args]
    shape = np.broadcast_shapes(*(x.shape for x in arrays))
    rows = zip(*(_entries(np.broadcast_to(x, shape)) for x in arrays))
    results = [function(*row) for row in rows]
    if not results:
        raise ValueError("cannot call `vectorize` on size 0 inputs unless `otypes` is set")
    several = isinstance(results[0], tuple)
    return shape, [list(column) for column in zip(*results)] if several else [results]


def _entries(x: Any) -> list[Any]:
    flat = x.reshape(-1)
    return [flat[place] for place in range(flat.shape[0])]


def _together(entries: list[Any], shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """Results as one array of NumPy's type; of objects, scores are kept as numbers."""
    if not any(many(entry) for entry in entries):
        exact = np.empty(len(entries), dtype=dtype)
        for place, entry in enumerate(entries):
            exact[place] = _exact(entry)
        found: Any = exact.reshape(shape) if shape else exact[0]
        return Array(found) if in_batch() and shape else found
    parts = [entry if isinstance(entry, Array) else np.asarray(entry) for entry in entries]
    made = np.stack([part.reshape(()) for part in parts]).reshape(shape)
    return made if dtype == object or made.dtype == dtype else made.astype(dtype)


def _exact(entry: Any) -> Any:
    return entry.exact if isinstance(entry, Array) else plain(entry)

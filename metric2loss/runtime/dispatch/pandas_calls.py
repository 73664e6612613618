"""pandas' functions that search scores in C, given values that stand for them: `pd.cut` by the bin that each score falls into."""

from __future__ import annotations

import functools
import sys
from typing import Any

import numpy as np

from metric2loss.runtime import steps
from metric2loss.runtime.arrays import Array
from metric2loss.runtime.dispatch.python_calls import gathered
from metric2loss.runtime.dispatch.reading import current, is_active
from metric2loss.runtime.lenient import Namespace, many


def stand_in(value: Any) -> Any:
    """What stands for pandas and for its functions; None of anything else."""
    pandas = sys.modules.get("pandas")
    if pandas is None or not hasattr(pandas, "cut"):
        return None
    if value is pandas:
        return Namespace(pandas, {"cut": _cut(pandas)})
    return _cut(pandas) if value is pandas.cut else None


def _cut(pandas: Any) -> Any:
    real = pandas.cut

    @functools.wraps(real)
    def call(x: Any, bins: Any, *args: Any, **kwargs: Any) -> Any:
        reading, column = current(), _column(x)
        if reading is None or column is None:
            return real(x, bins, *args, **kwargs)
        if np.ndim(bins) != 1 or is_active(bins) or isinstance(bins, pandas.IntervalIndex):
            raise reading.leak(
                "M2L301",
                "`pd.cut` of scores without fixed edges",
                "the edges depend on the scores, and on their range at that",
                "give the edges, as in `pd.cut(p, np.linspace(0, 1, 11))`",
            )
        edges = np.asarray(bins, dtype=float)
        right = bool(kwargs.get("right", args[0] if args else True))
        place = reading.meet(steps.binning, column, edges, using="digitize", right=right)
        if right and kwargs.get("include_lowest"):
            below = reading.meet(steps.compare, column, "<", float(edges[0]))
            place = np.where((place == 0) & ~below, 1, place)
        values = np.asarray(_standing_for(edges)[place])
        made = pandas.Series(values, index=x.index, name=x.name) if isinstance(x, pandas.Series) else values
        return real(made, bins, *args, **kwargs)

    return call


def _column(x: Any) -> Array | None:
    """The scores of an array or of a column, None where there are none."""
    if hasattr(x, "to_numpy"):
        x = list(x.to_numpy()) if x.dtype == object else None
    found = gathered(x) if isinstance(x, (list, tuple)) or many(x) else None
    return found if isinstance(found, Array) and (found.active or found.batched) else None


def _standing_for(edges: np.ndarray) -> np.ndarray:
    """A value below all edges, one inside of each bin, and one above."""
    low, high = edges[:-1], edges[1:]
    with np.errstate(invalid="ignore"):
        inside = np.where(np.isinf(low), high - 1, np.where(np.isinf(high), low + 1, (low + high) / 2))
    return np.concatenate([edges[:1] - 1, inside, edges[-1:] + 1])

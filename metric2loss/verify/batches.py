"""Turns the parameter names of a metric into random batches it accepts, for checks without the user's data.

Nobody says what shape the scores of a metric have.  So each known kind of batch is tried on the metric itself; the
first on which it gives a finite number that depends on the scores is taken.
"""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from metric2loss.diagnostics import Diagnostic, MetricError

Arrays = dict[str, Any]
Shape = tuple[int, ...]

ITEMS, CLASSES, SIDE = 12, 6, 6
DRAWS = 6  # so many batches seldom give the same value by chance


@dataclass(frozen=True)
class Kind:
    """One kind of batch: the shape of the scores, and targets to go with them."""

    name: str
    shape: Shape
    target: Callable[[np.random.Generator, Shape], Any]
    probabilities: bool = False

    def scores(self, rng: np.random.Generator, tied: bool) -> np.ndarray:
        """Random scores; `tied` leaves a few values only, so that ties occur everywhere."""
        drawn = rng.random(self.shape) if self.probabilities else rng.normal(size=self.shape)
        return np.round(drawn * 4) / 4 if tied else drawn


def _binary(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """0 and 1, both present in every row."""
    drawn = (rng.random(shape) < 0.4).astype(np.int64)
    drawn[..., 0], drawn[..., 1] = 1, 0
    return rng.permuted(drawn, axis=-1)


def _labels(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """One class an example, all classes present."""
    return rng.permutation(np.arange(shape[0]) % shape[1])


def _grades(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    drawn = rng.integers(4, size=shape)
    drawn[..., 0], drawn[..., 1] = 3, 0
    return drawn


def _pixels(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    return rng.integers(shape[1], size=(shape[0], *shape[2:]))


def _places(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """A pixel (x, y) for each heatmap."""
    return rng.integers(SIDE, size=(*shape[:2], 2))


def _lists(rng: np.random.Generator, shape: Shape) -> list[list[int]]:
    """The relevant items of each user, as a list of indices."""
    return [sorted(rng.choice(shape[1], size=3, replace=False).tolist()) for _ in range(shape[0])]


KINDS = (
    Kind("one score an item, labels 0 and 1", (ITEMS,), _binary),
    Kind("one probability an item, labels 0 and 1", (ITEMS,), _binary, probabilities=True),
    Kind("one row of class scores an example", (ITEMS, CLASSES), _labels),
    Kind("one row of class scores an example, three classes", (ITEMS, 3), _labels),
    Kind("one row of class scores an example, two classes", (ITEMS, 2), _labels),
    Kind("one list of scores a query, relevance 0 and 1", (4, 9), _binary),
    Kind("one list of scores a query, graded relevance", (4, 9), _grades),
    Kind("one score an item, graded targets", (ITEMS,), _grades),
    Kind("one list of scores a user, lists of relevant items", (4, 9), _lists),
    Kind("one score a pixel and class", (2, 3, SIDE, SIDE), _pixels),
    Kind("one score a pixel, masks of 0 and 1", (2, SIDE, SIDE), _binary),
    Kind("one heatmap a joint, pixel coordinates", (3, 2, SIDE, SIDE), _places),
)
_NUMBERS: Mapping[str, Any] = {
    "k": 3, "topk": 3, "top_k": 3, "n": 3, "cutoff": 3, "threshold": 0.5, "thr": 0.5, "thresh": 0.5, "alpha": 0.5,
    "beta": 1.0, "eps": 1e-8, "epsilon": 1e-8, "smooth": 1.0, "num_classes": CLASSES, "n_classes": CLASSES,
    "classes": CLASSES, "nclass": CLASSES, "num_labels": CLASSES, "n_bins": 5, "num_bins": 5, "bins": 5,
}  # fmt: skip
_GRADED = frozenset({"relevance", "relevances", "grades", "gains", "ratings"})  # graded targets are tried first
_GROUPS = frozenset({"group", "groups", "group_ids", "qid", "qids", "query_ids", "users", "user_ids", "queries"})
_POSITIVE = frozenset({"weights", "weight", "sample_weight", "sizes", "head_sizes", "norm", "scale", "scales", "costs"})


@dataclass(frozen=True)
class Batch:
    """Arguments by parameter name, as NumPy arrays, and which of them hold scores."""

    kind: str
    arguments: Mapping[str, Any]
    scores: tuple[str, ...]


def random_batches(
    metric: Callable[..., Any], call: Callable[[Mapping[str, Any]], float], scores: Sequence[str], seed: int
) -> Iterator[Batch]:
    """An ordinary batch and one with ties; `call` runs the metric on arguments given as NumPy arrays."""
    parameters = inspect.signature(metric).parameters
    required = tuple(name for name, p in parameters.items() if p.default is p.empty and p.kind not in _VARIABLE)
    graded = bool(_GRADED & set(required))
    for kind in sorted(KINDS, key=lambda kind: graded and kind.target is not _grades):
        drawn = [_draw(kind, required, scores, np.random.default_rng((seed, trial)), False) for trial in range(DRAWS)]
        if _depends_on_scores(call, drawn, scores):
            yield Batch(kind.name, drawn[0], tuple(scores))
            tied = _draw(kind, required, scores, np.random.default_rng((seed, DRAWS)), True)
            if math.isfinite(_value(call, tied)):
                yield Batch(f"{kind.name}; many ties", tied, tuple(scores))
            return
    tried = "; ".join(kind.name for kind in KINDS)
    message = f"no random batch suits {getattr(metric, '__name__', 'the metric')}{inspect.signature(metric)}"
    hint = "Give a batch of your own: --example FILE.npz, or --example module:function."
    raise MetricError(Diagnostic("M2L111", None, message, f"Tried: {tried}.", hint))


_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _draw(kind: Kind, names: Sequence[str], scores: Sequence[str], rng: np.random.Generator, tied: bool) -> Arrays:
    made: Arrays = {}
    for name in names:
        if name in scores:
            made[name] = kind.scores(rng, tied)
        elif name in _NUMBERS:
            made[name] = _NUMBERS[name]
        elif name in _GROUPS:
            made[name] = np.sort(rng.integers(3, size=kind.shape[0]))
        elif name in _POSITIVE:
            made[name] = rng.uniform(2.0, 4.0, size=kind.shape[0])
        else:
            made[name] = kind.target(rng, kind.shape)
    return made


def _depends_on_scores(call: Callable[[Mapping[str, Any]], float], drawn: list[Arrays], scores: Sequence[str]) -> bool:
    """Whether the metric accepts the batches, and gives other numbers for other scores with the same targets."""
    first = drawn[0]
    values = [_value(call, {**first, **{name: other[name] for name in scores}}) for other in drawn]
    return all(map(math.isfinite, values)) and len(set(values)) > 1


def _value(call: Callable[[Mapping[str, Any]], float], arguments: Mapping[str, Any]) -> float:
    """The metric's value, nan where it does not accept the batch."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return float(call(arguments))
        except MetricError:
            raise
        except Exception:  # noqa: BLE001 - the user's code, on a batch not made for it: any refusal counts
            return math.nan

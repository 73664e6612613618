"""Functions that depend on a score argument only through its order, because their documentation says what they compute.

The identity is M(y, s) = M(y, rank(s)), and rank(s) is a sum of steps (`dispatch.ranks`).  `within` says which scores are compared
with each other: those of one row of a 2-d array ("rows"), of one argument ("each"), or of all named arguments ("all").
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from types import CodeType
from typing import Any, Literal

Within = Literal["rows", "each", "all"]


@dataclass(frozen=True)
class Invariance:
    """One function's promise: `arguments` may be replaced by their ranks."""

    arguments: tuple[str, ...]
    within: Within = "all"
    link: str = ""


_SKLEARN = "https://scikit-learn.org/stable/modules/generated/sklearn.metrics."
_SCIPY = "https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats."


def _sklearn(name: str, argument: str = "y_score", within: Within = "all") -> tuple[str, Invariance]:
    return f"sklearn.metrics:{name}", Invariance((argument,), within, f"{_SKLEARN}{name}.html")


def _scipy(name: str, *arguments: str, within: Within = "each") -> tuple[str, Invariance]:
    return f"scipy.stats:{name}", Invariance(arguments, within, f"{_SCIPY}{name}.html")


KNOWN: Mapping[str, Invariance] = dict(
    (
        _sklearn("roc_auc_score"),  # computed from the ROC curve: counts at every threshold
        _sklearn("average_precision_score"),  # precision and recall at every threshold
        _sklearn("label_ranking_loss", within="rows"),  # pairs of labels that are incorrectly ordered
        _sklearn("label_ranking_average_precision_score", within="rows"),  # over each ground truth label's rank
        _sklearn("coverage_error", within="rows"),  # how far through the ranked scores one has to go
        _sklearn(
            "ndcg_score", within="rows"
        ),  # "Sum the true scores ranked in the order induced by the predicted scores"
        _sklearn("dcg_score", within="rows"),
        _sklearn("top_k_accuracy_score", within="rows"),  # k labels with the highest predicted scores
        _scipy("rankdata", "a"),
        _scipy("spearmanr", "a", "b"),  # rank-order correlation
        _scipy("kendalltau", "x", "y"),
        _scipy("weightedtau", "x", "y"),
        _scipy("somersd", "x", "y"),
        _scipy("mannwhitneyu", "x", "y", within="all"),
        _scipy("ranksums", "x", "y", within="all"),
        _scipy("ks_2samp", "data1", "data2", within="all"),  # distance of two empirical distribution functions
    )
)

_declared: dict[CodeType, Invariance] = {}


def order_invariant(function: Callable[..., Any], argument: str | tuple[str, ...], *, within: Within = "all") -> None:
    """Declares that `function` depends on `argument` only through the order of its values.

    within: "all" when the values of all named arguments are compared with each other, "each" when only those of one argument
    are, "rows" when only those of one row (the last axis) are.
    """
    names = (argument,) if isinstance(argument, str) else tuple(argument)
    code = code_of(function)
    if code is None:
        raise TypeError(f"{function!r} is not a Python function")
    _declared[code] = Invariance(names, within)


def invariances() -> dict[CodeType, Invariance]:
    """All promises about functions that are imported, by the function's code."""
    return {**dict(_known()), **_declared}


def _known() -> Iterator[tuple[CodeType, Invariance]]:
    for name, promise in KNOWN.items():
        module, _, path = name.partition(":")
        if module in sys.modules and promise.arguments:
            home: Any = sys.modules[module]
            function = reduce(lambda found, part: getattr(found, part, None), path.split("."), home)
            code = code_of(function)
            if code is not None:
                yield code, promise


def code_of(function: Any) -> CodeType | None:
    """The code of a function under its decorators."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    return getattr(function, "__code__", None)

"""Binning: the bin of a value is the number of edges it has passed."""

from __future__ import annotations

from typing import Any

from metric2loss.rules.spelling import Example, Rule, spell
from metric2loss.step import step


def identity(xp: Any, native: Any, x: Any, edges: Any, using: str = "digitize", **kwargs: Any) -> Any:
    """The user's call, rebuilt from `passed[k] = step(x - edge_k)`; the user's call decides on which side ties fall.

    Falling edges (numpy.digitize) are passed downwards: bin 0 lies above the first.
    """
    bins = native(x, edges, **kwargs)
    falling = len(edges) > 1 and bool(edges[0] > edges[-1])
    result = bins * 0
    for k in range(len(edges)):
        result = result + step(edges[k] - x if falling else x - edges[k], bins > k)
    return result


SPELLINGS = (
    *spell("binning", "digitize", "numpy.digitize", parameters=("bins", "right")),
    *spell("binning", "searchsorted", "numpy.searchsorted", operand=1, right=0, parameters=("side", "sorter")),
    *spell("binning", "searchsorted", "torch.searchsorted", operand=1, right=0, parameters=()),
    *spell("binning", "bucketize", "torch.bucketize", right=1, parameters=("boundaries",)),
)

EXAMPLES = (
    Example("numpy.digitize", (0, 1, 2, 3, 5), ((1, 2, 4),)),
    Example("numpy.digitize", (0, 1, 2, 3, 5), ((1, 2, 4),), {"right": True}),
    Example("numpy.digitize", (0, 1, 2, 3, 5), ((4, 2, 1),)),
    Example("numpy.searchsorted", (0, 1, 2, 3, 5), ((1, 2, 4),), {"side": "right"}),
    Example("torch.bucketize", (0, 1, 2, 3, 5), ((1, 2, 4),), {"right": True}),
    Example("torch.searchsorted", (0, 1, 2, 3, 5), ((1, 2, 4),)),
)

RULE = Rule(
    "binning", "digitize", "the bin of a value is the number of edges it has passed", identity, SPELLINGS, EXAMPLES
)

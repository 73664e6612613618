"""Finds the elements of comparisons that compare a score with itself: their difference is zero whatever the scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from metric2loss.runtime import tape
from metric2loss.runtime.layouts import CompareLayout
from metric2loss.runtime.layouts.partly import PartlyFixed
from metric2loss.runtime.recorded import Differences


def without_selves(tree: Any, elsewhere: Callable[[], Any]) -> Any:
    """What f recorded, without binaries for differences that are exactly zero here and at other scores.

    `elsewhere` runs f at scores without ties; it is asked only when something is exactly zero here.
    """
    leaves = [leaf for _, leaf in tape.leaves(tree)]
    if not any(_zeros(leaf) for leaf in leaves):
        return tree
    others = [leaf for _, leaf in tape.leaves(elsewhere())]
    if len(others) != len(leaves):
        return tree
    changed = [_freed(leaf, other) for leaf, other in zip(leaves, others, strict=True)]
    return tape.rebuilt(tree, iter(changed)) if isinstance(tree, tape.Tape) else changed[0]


def _zeros(leaf: Any) -> bool:
    return type(getattr(leaf, "layout", None)) is CompareLayout and bool((leaf.values.detach() == 0).any())


def _freed(leaf: Any, other: Any) -> Any:
    if not _zeros(leaf) or leaf.values.shape != other.values.shape:
        return leaf
    always = (leaf.values.detach() == 0) & (other.values.detach() == 0)
    if not bool(always.any()):
        return leaf
    free = torch.nonzero(~always).reshape(-1)
    return Differences(PartlyFixed(leaf.layout, free, leaf.bits), leaf.values[free], leaf.bits[free], leaf.library)

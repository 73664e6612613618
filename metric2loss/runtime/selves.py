"""Finds the elements of comparisons that compare a score with itself: their difference is zero whatever the scores."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import torch

from metric2loss.runtime import tape
from metric2loss.runtime.layouts import CompareLayout
from metric2loss.runtime.layouts.partly import PartlyFixed
from metric2loss.runtime.recorded import Differences


def without_selves(tree: Any, elsewhere: Callable[[], Any], known: set[Hashable]) -> Any:
    """What f recorded, without binaries for differences that are exactly zero here and at other scores.

    `elsewhere` runs f at scores without ties; it is asked only when something is exactly zero here.  known: the programs in
    which no score meets itself, or other ones at other scores; what is zero there is a tie, and f need not run twice.
    """
    if not isinstance(tree, tape.Tape) and not _zeros(tree):
        return tree
    steps = list(tape.leaves(tree))
    leaves = [leaf for _, leaf in steps]
    if not any(_zeros(leaf) for leaf in leaves):
        return tree
    program = tuple((key, leaf.layout.size) for key, leaf in steps)
    if program in known:
        return tree
    others = [leaf for _, leaf in tape.leaves(elsewhere())]
    if len(others) != len(leaves):
        return tree
    moving = {key[:1] for (key, leaf), other in zip(steps, others, strict=True) if _moves(leaf, other)}
    changed = [
        leaf if key[:1] in moving else _freed(leaf, other) for (key, leaf), other in zip(steps, others, strict=True)
    ]
    if all(one is other for one, other in zip(leaves, changed, strict=True)):
        known.add(program)
        return tree
    return tape.rebuilt(tree, iter(changed)) if isinstance(tree, tape.Tape) else changed[0]


def _zeros(leaf: Any) -> bool:
    return type(getattr(leaf, "layout", None)) is CompareLayout and bool((leaf.values.detach() == 0).any())


def _moves(leaf: Any, other: Any) -> bool:
    """Whether scores meet themselves elsewhere that do not here: which ones do depends on the scores."""
    if not _zeros(other):
        return False
    return leaf.values.shape != other.values.shape or bool(
        (leaf.values.detach()[other.values.detach() == 0] != 0).any()
    )


def _freed(leaf: Any, other: Any) -> Any:
    if not _zeros(leaf) or leaf.values.shape != other.values.shape:
        return leaf
    always = (leaf.values.detach() == 0) & (other.values.detach() == 0)
    if not bool(always.any()):
        return leaf
    free = torch.nonzero(~always).reshape(-1)
    return Differences(PartlyFixed(leaf.layout, free, leaf.bits), leaf.values[free], leaf.bits[free], leaf.library)

"""What is known at a point of a function, how two such states meet, and what a target writes and reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from metric2loss.analysis.expressions import Env
from metric2loss.analysis.facts import Level, join, walk
from metric2loss.frontend.resolve import target_names


@dataclass(frozen=True)
class Flow:
    """What is known at a point: the names, and whether a step decides if execution gets here at all.

    `jumps` are the statements before this point that may leave the block: everything after depends on them.
    """

    env: Env
    control: Level = Level.PASSIVE
    jumps: tuple[int, ...] = ()


def meet(left: Env, right: Env) -> Env:
    merged: Env = dict(left)
    for name, (value, definitions) in right.items():
        if name in merged:
            known, seen = merged[name]
            merged[name] = (join(known, value), seen | definitions)
        else:
            merged[name] = (value, definitions)
    return merged


def leaves(suite: cst.BaseSuite | cst.BaseSmallStatement | Sequence[cst.CSTNode]) -> bool:
    """Whether a block always leaves the function; after `break` and `continue` its definitions live on."""
    body = list(getattr(suite, "body", ()))
    if not body:
        return False
    last = body[-1]
    if isinstance(last, cst.SimpleStatementLine):
        last = last.body[-1]
    if isinstance(last, cst.If):
        return last.orelse is not None and leaves(last.body) and leaves(last.orelse.body)
    return isinstance(last, (cst.Return, cst.Raise))


def written(target: cst.CSTNode) -> tuple[str, ...]:
    """Names whose value an assignment to `target` (or a call on it) may change."""
    while isinstance(target, (cst.Subscript, cst.Attribute, cst.Call)):
        target = target.func if isinstance(target, cst.Call) else target.value
    if isinstance(target, (cst.Tuple, cst.List)):
        return tuple(name for e in target.elements for name in written(e.value))
    return target_names(target)


def reads_of_target(target: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The expressions an assignment target evaluates: `x[i]` reads x and i."""
    if isinstance(target, (cst.Subscript, cst.Attribute)):
        yield target.value
        if isinstance(target, cst.Subscript):
            yield from target.slice
    elif isinstance(target, (cst.Tuple, cst.List)):
        for inner in target.elements:
            yield from reads_of_target(inner.value)


def names_inside(node: cst.CSTNode) -> Iterator[cst.Name]:
    if isinstance(node, cst.Name):
        yield node
    for child in node.children:
        yield from names_inside(child)


def part_of_pair(function: cst.CSTNode, load: cst.CSTNode) -> tuple[cst.BaseExpression, int] | None:
    """`found.indices`, `found[1]`: the expression around a name and which part of the pair it is; None for another use."""
    for node in walk(function):
        if isinstance(node, cst.Attribute) and node.value is load and node.attr.value in ("values", "indices"):
            return node, ("values", "indices").index(node.attr.value)
        if isinstance(node, cst.Subscript) and node.value is load and len(node.slice) == 1:
            inner = node.slice[0].slice
            if (
                isinstance(inner, cst.Index)
                and isinstance(inner.value, cst.Integer)
                and inner.value.value in ("0", "1")
            ):
                return node, int(inner.value.value)
    return None

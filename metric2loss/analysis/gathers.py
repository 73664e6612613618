"""Turns an order into the passive arrays that it gathers: items with equal rows in them are interchangeable.

The proposal is static; the runtime probes it numerically before it is relied on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from metric2loss import names
from metric2loss.analysis.facts import ENTRY, FunctionFacts, Level, Site, small_of, walk
from metric2loss.analysis.uses import Uses, tail
from metric2loss.frontend.resolve import Program, target_names


@dataclass(frozen=True)
class Gathered:
    """`order`: the order only gathers these passive arrays (as text), so equal rows are interchangeable."""

    site: Site
    arrays: tuple[str, ...]
    nodes: tuple[cst.CSTNode, ...]
    statement: int
    supposed: bool = False  # a guess from the parameters' names: where it fails the probe, nobody was promised anything


_GATHERS = frozenset({"take", "take_along_axis", "gather", "take_along_dim", "index_select"})
_SAME_ORDER = frozenset(
    [
        "copy",
        "clone",
        "long",
        "int",
        "flip",
        "flipud",
        "fliplr",
        "tolist",
        "list",
        "tuple",
        "reversed",
        "cpu",
        "numpy",
        "detach",
        "astype",
        "to",
        "contiguous",
    ]
)


def supposed_classes(program: Program, facts: FunctionFacts, site: Site) -> Gathered | None:
    """Where the region gives up: the targets may still be all that the rest can tell items apart by.

    In a loop they are what a turn makes of them: `hit = labels == c`, `y = labels[:, c]`.
    """
    before = facts.before.get(site.statement, {})
    levels = dict(zip(facts.function.parameters, facts.arguments))
    passive = [p for p in facts.function.parameters if levels[p] is Level.PASSIVE and p not in facts.function.optional]
    targets = [p for p in names.find_targets(passive, ()) if before.get(p) == frozenset({ENTRY})]
    if not site.loops:
        return Gathered(site, tuple(targets), (), site.statement, supposed=True) if targets else None
    made = {program.source.code(node): node for node in _of_the_turn(program, facts, site, frozenset(targets))}
    return Gathered(site, tuple(made), tuple(made.values()), site.statement, supposed=True) if made else None


def _of_the_turn(program: Program, facts: FunctionFacts, site: Site, targets: frozenset[str]) -> Iterator[cst.CSTNode]:
    """Passive comparisons and parts of the targets that the innermost loop around the site gives a name to."""
    uses = Uses(program, facts)
    for statement in facts.statements:
        small = small_of(statement.node)
        if statement.loops != site.loops or not isinstance(small, cst.Assign):
            continue
        value = small.value
        told = {node.value for node in walk(value) if isinstance(node, cst.Name)} & targets
        fits = isinstance(value, (cst.Comparison, cst.Subscript)) and facts.level(value) is Level.PASSIVE
        if told and fits and uses.available(value, site.statement):
            yield value


def gathered_by(program: Program, facts: FunctionFacts, site: Site) -> Gathered | None:
    """The passive arrays an order gathers, when it does nothing else."""
    uses = Uses(program, facts)
    walkers: list[cst.CSTNode] = [site.node]
    elements: set[cst.CSTNode] = set()
    arrays: dict[str, cst.CSTNode] = {}
    seen: set[cst.CSTNode] = set()
    while walkers:
        node = walkers.pop()
        if node in seen:
            continue
        seen.add(node)
        step = _follow(uses, site, node, node in elements)
        if step is None:
            return None
        more, items, array = step
        walkers.extend((*more, *items))
        elements.update(items)
        if array is not None:
            arrays[array[0]] = array[1]
    last = _emission(uses, site, list(arrays.values()))
    return Gathered(site, tuple(arrays), tuple(arrays.values()), last) if arrays and last is not None else None


_Step = tuple[list[cst.CSTNode], list[cst.CSTNode], "tuple[str, cst.CSTNode] | None"]


def _follow(uses: Uses, site: Site, node: cst.CSTNode, element: bool) -> _Step | None:
    """What uses `node` (the order, or one element of it): more of the same, elements of it, or a gathered array."""
    parent = uses.parent(node)
    if isinstance(parent, cst.Assign) and parent.value is node:
        return _assigned(uses, site, node, parent, element)
    if isinstance(parent, cst.Subscript):
        return _subscripted(uses, node, parent, element)
    if isinstance(parent, cst.Attribute):
        call = uses.parents.get(parent)
        if parent.attr.value in ("shape", "size", "ndim"):
            return [], [], None
        return ([call], [], None) if isinstance(call, cst.Call) and parent.attr.value in _SAME_ORDER else None
    if isinstance(parent, cst.Call):
        return _passed(uses, node, parent)
    if isinstance(parent, (cst.For, cst.CompFor)) and parent.iter is node:
        return [], _bound(uses, parent, parent.target), None
    return None


def _assigned(uses: Uses, site: Site, node: cst.CSTNode, parent: cst.Assign, element: bool) -> _Step | None:
    names = target_names(parent.targets[0].target)
    number = uses.owner[parent]
    if site.pair and node is site.node:
        names = names[1:]
    elif not isinstance(parent.targets[0].target, cst.Name):
        return None
    loads: list[cst.CSTNode] = [n for n in uses.loads(number) if n.value in names]
    if any(uses.facts.reach[n] != frozenset({number}) for n in loads):
        return None
    return ([], loads, None) if element else (loads, [], None)


def _subscripted(uses: Uses, node: cst.CSTNode, parent: cst.Subscript, element: bool) -> _Step | None:
    if parent.value is node:
        slices = all(
            isinstance(e.slice, cst.Slice) or isinstance(e.slice, cst.Index) and isinstance(e.slice.value, cst.Ellipsis)
            for e in parent.slice
        )
        if element:
            return None
        return ([parent], [], None) if slices else ([], [parent], None) if len(parent.slice) == 1 else None
    if uses.facts.level(parent.value) is not Level.PASSIVE or uses.parent(parent) is None:
        return None
    writer = uses.parent(parent)
    if isinstance(uses.parents.get(parent), cst.AssignTarget) or (
        isinstance(writer, cst.AugAssign) and writer.target is parent
    ):
        return None
    code = uses.program.source.code
    others = [e for e in parent.slice if not (isinstance(e.slice, cst.Index) and e.slice.value is node)]
    if any(uses.facts.level(o) is not Level.PASSIVE for o in others):
        return None
    text = code(parent.value)
    if others and not any(
        word in code(o) for o in others for word in ("None", "newaxis", "unsqueeze", "reshape", "view")
    ):
        inner = ", ".join(
            ":" if isinstance(e.slice, cst.Index) and e.slice.value is node else code(e).rstrip(", ")
            for e in parent.slice
        )
        text = f"{text}[{inner}]"
    return [], [], (text, parent if others else parent.value)


def _passed(uses: Uses, node: cst.CSTNode, call: cst.Call) -> _Step | None:
    name = tail(call.func)
    if name in ("len", "shape"):
        return [], [], None
    if name in ("enumerate", "zip"):
        loop = uses.parent(call)
        if isinstance(loop, (cst.For, cst.CompFor)) and isinstance(loop.target, cst.Tuple):
            place = [a.value for a in call.args if a.keyword is None].index(node)  # type: ignore[arg-type]
            targets = loop.target.elements
            return [], _bound(uses, loop, targets[1 if name == "enumerate" else place].value), None
        return None
    if name in _SAME_ORDER and call.args and call.args[0].value is node:
        return [call], [], None
    if name in _GATHERS:
        positional = [a.value for a in call.args]
        method = isinstance(call.func, cst.Attribute) and uses.program.qualified(call.func) is None
        array = call.func.value if method and isinstance(call.func, cst.Attribute) else positional[0]
        if array is node or uses.facts.level(array) is not Level.PASSIVE:
            return None
        return [], [], (uses.program.source.code(array), array)
    return None


def _bound(uses: Uses, loop: cst.For | cst.CompFor, target: cst.CSTNode) -> list[cst.CSTNode]:
    names = target_names(target)
    if isinstance(loop, cst.CompFor):
        around: cst.CSTNode = loop
        while isinstance(around, cst.CompFor):
            around = uses.parents[around]
        own = set(walk(loop.target)) | set(walk(loop.iter))
        return [n for n in walk(around) if isinstance(n, cst.Name) and n.value in names and n not in own]
    return [n for n in uses.loads(uses.owner[loop]) if n.value in names]


def _emission(uses: Uses, site: Site, arrays: list[cst.CSTNode]) -> int | None:
    """The statement before which the differences are taken: the step's own, or a later one that sees all arrays."""
    if all(uses.available(a, site.statement) for a in arrays):
        return site.statement
    block = uses.facts.statements[site.statement].block
    last = max(uses.owner[a] for a in arrays)
    if uses.facts.statements[last].block == block and all(uses.available(n, last) for n in (*arrays, *site.operands)):
        return last
    return None

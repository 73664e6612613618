"""Turns the text of a function into the names that may share memory: a write through one of them is a write to all.

Flow-insensitive and generous: a name too many costs a pruning, one too few loses a write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import libcst as cst

from metric2loss.analysis.facts import walk
from metric2loss.frontend.resolve import target_names


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Methods and functions that hand back (a view of) what they are given, or one of its entries.
_VIEWS = _names("""
    reshape ravel view view_as squeeze unsqueeze transpose swapaxes moveaxis movedim permute t expand expand_as numpy detach cpu
    cuda to contiguous diagonal diag flatten values items keys get setdefault pop popitem asarray asanyarray from_numpy
    atleast_1d atleast_2d atleast_3d as_tensor split array_split hsplit vsplit tensor_split chunk unbind narrow select append_
    flip fliplr flipud rot90 expand_dims rollaxis copyto nan_to_num zip enumerate reversed iter next
""")
_STORING = _names("append add insert extend setdefault update appendleft push heappush")
_FRESH = _names(
    "zeros ones empty full zeros_like ones_like empty_like full_like arange eye array tensor copy clone deepcopy"
)
MUTATING = _names("""
    append extend insert add update setdefault pop popitem popleft remove discard clear sort reverse fill put itemset resize
    appendleft extendleft rotate subtract
""")
PASSIVE_PARTS = _names("shape ndim size dtype device")


def aliases(function: cst.FunctionDef) -> Mapping[str, frozenset[str]]:
    """Name → the names of the function that a write through it may change, itself included.

    Views share memory both ways; what is stored in a container changes the container, not the other way round.
    """
    changes: dict[str, set[str]] = {}
    for left, right, both in _relations(function, _made_fresh(function)):
        changes.setdefault(right, set()).add(left)
        if both:
            changes.setdefault(left, set()).add(right)
    found = {name: _reached(changes, name) for name in changes}
    return {name: names for name, names in found.items() if len(names) > 1}


def _reached(changes: Mapping[str, set[str]], start: str) -> frozenset[str]:
    found, stack = {start}, [start]
    while stack:
        for name in changes.get(stack.pop(), set()) - found:
            found.add(name)
            stack.append(name)
    return frozenset(found)


_Relation = tuple[str, str, bool]  # container or view, what it holds or is a view of, whether both see writes


def _relations(function: cst.FunctionDef, fresh: frozenset[str]) -> Iterator[_Relation]:
    for node in walk(function):
        if isinstance(node, cst.Assign):
            for target in node.targets:
                yield from _bound(target.target, node.value, fresh)
        elif isinstance(node, (cst.AnnAssign, cst.NamedExpr)) and node.value is not None:
            yield from _bound(node.target, node.value, fresh)
        elif isinstance(node, (cst.For, cst.CompFor)):
            yield from _iterated(node.target, node.iter)
        elif isinstance(node, cst.WithItem) and node.asname is not None:
            yield from _bound(node.asname.name, node.item, fresh)
        elif isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value in _STORING:
            for root in roots(node.func.value):
                for arg in node.args:
                    yield from _stored(root, arg.value)


def _stored(container: str, value: cst.BaseExpression) -> Iterator[_Relation]:
    yield from ((container, held, False) for held in roots(value) | held_by(value))


def _bound(target: cst.BaseExpression, value: cst.BaseExpression, fresh: frozenset[str]) -> Iterator[_Relation]:
    if isinstance(target, (cst.Tuple, cst.List)):
        paired = isinstance(value, (cst.Tuple, cst.List)) and len(value.elements) == len(target.elements)
        for place, element in enumerate(target.elements):
            inner = value.elements[place].value if paired else value  # type: ignore[attr-defined]
            yield from _bound(element.value, inner, fresh)
    elif isinstance(target, cst.StarredElement):
        yield from _bound(target.value, value, fresh)
    elif isinstance(target, cst.Name):
        yield from ((target.value, root, True) for root in roots(value))
        yield from ((target.value, held, False) for held in held_by(value))
    else:  # `groups[k] = bucket` keeps the bucket; an array would copy it
        for root in roots(target) - fresh:
            yield from _stored(root, value)


def _iterated(target: cst.BaseExpression, iterable: cst.BaseExpression) -> Iterator[_Relation]:
    columns = [a.value for a in iterable.args] if isinstance(iterable, cst.Call) else []
    if isinstance(iterable, cst.Call) and isinstance(iterable.func, cst.Name) and isinstance(target, cst.Tuple):
        if iterable.func.value == "zip" and len(columns) == len(target.elements):
            for element, column in zip(target.elements, columns):
                yield from _iterated(element.value, column)
            return
        if iterable.func.value == "enumerate" and len(target.elements) == 2 and columns:
            yield from _iterated(target.elements[1].value, columns[0])
            return
    for name in target_names(target):
        yield from ((name, root, True) for root in roots(iterable))


def held_by(node: cst.CSTNode) -> frozenset[str]:
    """The names that a display, or a comprehension, keeps in the container it makes."""
    if isinstance(node, (cst.Tuple, cst.List, cst.Set)):
        return frozenset().union(*(roots(e.value) | held_by(e.value) for e in node.elements))
    if isinstance(node, cst.Dict):
        return frozenset().union(*(roots(e.value) | held_by(e.value) for e in node.elements))
    return roots(node.elt) | held_by(node.elt) if isinstance(node, cst.ListComp) else frozenset()


def _made_fresh(function: cst.FunctionDef) -> frozenset[str]:
    """Names that only ever hold arrays made on the spot: writing an array into them copies it."""
    found: dict[str, bool] = {}
    for node in walk(function):
        if isinstance(node, cst.Assign):
            for name in (n for t in node.targets for n in target_names(t.target)):
                call = node.value
                tail = call.func if isinstance(call, cst.Call) else None
                made = isinstance(tail, cst.Attribute) and tail.attr.value in _FRESH
                found[name] = found.get(name, True) and made
    return frozenset(name for name, made in found.items() if made)


def roots(node: cst.CSTNode) -> frozenset[str]:
    """The names whose memory the value of an expression may be a part of."""
    if isinstance(node, cst.Name):
        return frozenset({node.value})
    if isinstance(node, cst.Subscript):
        return frozenset() if any(isinstance(n, cst.Comparison) for n in walk(node)) else roots(node.value)
    if isinstance(node, cst.Attribute):
        return frozenset() if node.attr.value in PASSIVE_PARTS else roots(node.value)
    if isinstance(node, cst.NamedExpr):
        return roots(node.value) | roots(node.target)
    if isinstance(node, cst.IfExp):
        return roots(node.body) | roots(node.orelse)
    if isinstance(node, cst.BooleanOperation):
        return roots(node.left) | roots(node.right)
    return _roots_of_call(node) if isinstance(node, cst.Call) else frozenset()


def _roots_of_call(node: cst.Call) -> frozenset[str]:
    func = node.func
    name = func.attr.value if isinstance(func, cst.Attribute) else func.value if isinstance(func, cst.Name) else ""
    if name not in _VIEWS and not (name.endswith("_") and isinstance(func, cst.Attribute)):
        return frozenset()
    receiver = roots(func.value) if isinstance(func, cst.Attribute) else frozenset()
    return receiver.union(*(roots(a.value) for a in node.args))

"""Which Python loops can run for all iterations at once: those that compare, look up and add, and carry nothing else along.

The syntax tree of a `for` loop becomes a `Loop`, or nothing.  `lanes` runs it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.USub, ast.UAdd, ast.Not, ast.And, ast.Or, ast.Div, ast.FloorDiv, ast.Mod)
_COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
_EXPRESSIONS = (
    ast.Name,
    ast.Constant,
    ast.Attribute,
    ast.BinOp,
    ast.UnaryOp,
    ast.BoolOp,
    ast.Compare,
    ast.Subscript,
    ast.IfExp,
    ast.Tuple,
    ast.expr_context,
    *_OPERATORS,
    *_COMPARISONS,
)
CONVERSIONS = ("float", "bool", "abs", "int", "len")


@dataclass(frozen=True)
class Loop:
    """A loop that carries nothing but sums.  sums: names that are only added to; names: what it reads from outside."""

    node: ast.For
    sums: tuple[str, ...]
    names: tuple[str, ...]
    constant: bool  # what is added are numbers written in the text
    repeatedly: frozenset[str] = frozenset()  # names that several lines add to


def found(node: ast.For, function: ast.AST | None) -> Loop | None:
    """The loop of a function's syntax tree, if all its iterations can be run at once."""
    if function is None or not _loop(node, True):
        return None
    added = {part.target.id for part in ast.walk(node) if isinstance(part, ast.AugAssign)}  # type: ignore[union-attr]
    assigned = {name for part in ast.walk(node) if isinstance(part, ast.Assign) for name in _stored(part.targets)}
    bound = {name for part in ast.walk(node) if isinstance(part, ast.For) for name in _stored([part.target])}
    sums = added - assigned - bound
    if not sums or bound & (added | assigned) or _read_too_early(node.body, set(bound), assigned, added):
        return None
    if _loads(node.body) & sums or _needed_outside(assigned | bound, node, function):
        return None
    names = _loads([node]) - assigned - bound
    constant = all(
        isinstance(part.value, ast.Constant) for part in ast.walk(node) if isinstance(part, (ast.AugAssign, ast.Assign))
    )
    targets = [part.target.id for part in ast.walk(node) if isinstance(part, ast.AugAssign)]  # type: ignore[union-attr]
    repeatedly = frozenset(name for name in targets if targets.count(name) > 1)
    return Loop(node, tuple(sorted(sums)), tuple(sorted(names)), constant, repeatedly)


def _loop(node: ast.For, outermost: bool) -> bool:
    targets = node.target.elts if isinstance(node.target, ast.Tuple) else [node.target]
    names = [name for part in targets for name in (part.elts if isinstance(part, ast.Tuple) else [part])]
    return (
        not node.orelse
        and all(isinstance(name, ast.Name) for name in names)
        and _sequence(node.iter)
        and all(_statement(part, True) for part in node.body)
    )


def _sequence(node: ast.expr) -> bool:
    """What is looped over: an array, range, enumerate or zip."""
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        inner = name in ("enumerate", "zip")
        fits = all(_sequence(part) if inner else _expression(part) for part in node.args)
        return name in ("range", "enumerate", "zip") and not node.keywords and bool(node.args) and fits
    return isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)) and _expression(node)


def _statement(node: ast.stmt, in_loop: bool) -> bool:
    if isinstance(node, ast.For):
        return _loop(node, False)
    if isinstance(node, ast.If):
        *before, last = node.body
        goes_on = in_loop and isinstance(last, ast.Continue) and not node.orelse
        body = before if goes_on else node.body
        return _expression(node.test) and all(_statement(part, False) for part in (*body, *node.orelse))
    if isinstance(node, ast.AugAssign):
        adds = isinstance(node.op, (ast.Add, ast.Sub)) and isinstance(node.target, ast.Name)
        return adds and _expression(node.value)
    if isinstance(node, ast.Assign):
        one = len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
        return one and _expression(node.value)
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _expression(node: ast.expr) -> bool:
    for part in ast.walk(node):
        if isinstance(part, ast.Call):
            named = isinstance(part.func, ast.Name) and part.func.id in CONVERSIONS
            if not (named and len(part.args) == 1 and not part.keywords):
                return False
        elif (
            not isinstance(part, _EXPRESSIONS)
            or isinstance(part, ast.Constant)
            and not isinstance(part.value, (int, float))
            or isinstance(part, ast.Attribute)
            and not isinstance(part.value, (ast.Name, ast.Attribute))
        ):
            return False
    return True


def _stored(targets: Iterable[ast.expr]) -> set[str]:
    return {part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)}


def _loads(nodes: Iterable[ast.AST]) -> set[str]:
    return {
        part.id
        for node in nodes
        for part in ast.walk(node)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)
    }


def _read_too_early(body: list[ast.stmt], known: set[str], assigned: set[str], added: set[str]) -> bool:
    """Whether a name is read, or added to, that an earlier iteration may have set; `known` grows by what is set for sure."""
    for part in body:
        if isinstance(part, ast.For):
            inner = {
                name for node in ast.walk(part) if isinstance(node, ast.AugAssign) for name in _stored([node.target])
            }
            if _unknown([part.iter], known, assigned) or _loads(part.body) & inner:
                return True
            again = {name for node in ast.walk(part) if isinstance(node, ast.Assign) for name in _stored(node.targets)}
            if _read_too_early(part.body, known - again, assigned, added):
                return True
        elif isinstance(part, ast.If):
            if _unknown([part.test], known, assigned):
                return True
            one, other = set(known), set(known)
            if _read_too_early(part.body, one, assigned, added) or _read_too_early(part.orelse, other, assigned, added):
                return True
            known |= one & other if part.orelse else set()
        elif isinstance(part, ast.AugAssign):
            if _unknown([part.value], known, assigned) or _stored([part.target]) & assigned - known:
                return True
        elif isinstance(part, ast.Assign):
            if _unknown([part.value], known, assigned):
                return True
            known |= _stored(part.targets)
    return False


def _unknown(nodes: list[ast.expr], known: set[str], assigned: set[str]) -> bool:
    return bool(_loads(nodes) & assigned - known)


def _needed_outside(names: set[str], node: ast.For, function: ast.AST) -> bool:
    """Whether what the loop leaves behind is read elsewhere, outside of loops that set it themselves."""
    return any(
        isinstance(part, ast.Name) and part.id in names and isinstance(part.ctx, ast.Load)
        for part in _outside(function, node, names)
    )


def _outside(tree: ast.AST, node: ast.For, names: set[str]) -> Iterator[ast.AST]:
    for part in ast.iter_child_nodes(tree):
        if part is node:
            continue
        if isinstance(part, (ast.For, ast.comprehension)) and part is not tree and node not in ast.walk(part):
            own = _stored([part.target])
            if own & names:
                yield from _outside(part, node, names - own)
                continue
        if isinstance(part, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
            own = _stored([one.target for one in part.generators])
            yield from _outside(part, node, names - own)
            continue
        yield part
        yield from _outside(part, node, names)

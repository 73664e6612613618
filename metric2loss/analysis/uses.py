"""Turns facts into answers about who uses what: the parent of an expression, the loads that see a definition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

import libcst as cst

from metric2loss.analysis.facts import FunctionFacts, walk
from metric2loss.frontend.resolve import Program, target_names

_BINDING = (cst.AssignTarget, cst.AnnAssign, cst.AugAssign, cst.For, cst.NamedExpr)


class Uses:
    """Who uses what: parents of nodes and the loads that see a statement's definition."""

    def __init__(self, program: Program, facts: FunctionFacts) -> None:
        self.program, self.facts = program, facts

    @cached_property
    def parents(self) -> Mapping[cst.CSTNode, cst.CSTNode]:
        found: dict[cst.CSTNode, cst.CSTNode] = {}
        for node in walk(self.facts.function.node.body):
            for child in node.children:
                found[child] = node
        return found

    @cached_property
    def owner(self) -> Mapping[cst.CSTNode, int]:
        """The innermost statement of every node."""
        found: dict[cst.CSTNode, int] = {}
        for statement in self.facts.statements:  # outer statements come first, inner ones overwrite
            for node in walk(statement.node):
                found[node] = statement.id
        return found

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """The expression or statement around a node, past libcst's in-between nodes."""
        at = self.parents.get(node)
        while isinstance(at, (cst.Arg, cst.ComparisonTarget, cst.Index, cst.SubscriptElement, cst.Element)):
            at = self.parents.get(at)
        return at

    def loads(self, statement: int) -> Iterator[cst.Name]:
        """The names that may see a definition made by `statement`."""
        for node, seen in self.facts.reach.items():
            if statement in seen and isinstance(node, cst.Name):
                yield node

    def around(self, node: cst.CSTNode) -> Iterator[cst.BaseComp | cst.Lambda | cst.FunctionDef]:
        """The comprehensions, lambdas and inner functions that a node stands in, innermost first."""
        at = self.parents.get(node)
        while at is not None:
            if isinstance(at, (cst.BaseComp, cst.Lambda, cst.FunctionDef)):
                yield at
            at = self.parents.get(at)

    def available(self, node: cst.CSTNode, statement: int) -> bool:
        """Whether every name in `node` holds at the start of `statement` what it holds where it stands."""
        before = self.facts.before.get(statement, {})
        return all(
            before.get(n.value, frozenset()) == self.facts.reach[n] or not self.facts.reach[n]
            for n in walk(node)
            if isinstance(n, cst.Name) and n in self.facts.reach
        )


def own_names(node: cst.BaseComp | cst.Lambda | cst.FunctionDef) -> frozenset[str]:
    """The names that exist in a comprehension, a lambda or an inner function alone."""
    found: set[str] = set()
    if isinstance(node, (cst.Lambda, cst.FunctionDef)):
        found.update(n.name.value for n in walk(node.params) if isinstance(n, cst.Param))
    if isinstance(node, cst.FunctionDef):
        found.update(name for n in walk(node.body) if isinstance(n, _BINDING) for name in target_names(n.target))
    if not isinstance(node, cst.BaseComp):
        return frozenset(found)
    clause: cst.CompFor | None = node.for_in
    while clause is not None:
        found.update(target_names(clause.target))
        clause = clause.inner_for_in
    return frozenset(found)


def tail(node: cst.BaseExpression) -> str:
    return node.attr.value if isinstance(node, cst.Attribute) else node.value if isinstance(node, cst.Name) else ""

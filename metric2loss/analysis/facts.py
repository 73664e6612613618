"""The facts that analysis finds about a function, immutable and beside the tree they speak of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

import libcst as cst

from metric2loss.diagnostics import Diagnostic
from metric2loss.frontend.resolve import Function


class Level(IntEnum):
    """How a value depends on the scores: not at all, only through step operations, or as a real number."""

    PASSIVE = 0
    DISCRETE = 1
    ACTIVE = 2


Value: TypeAlias = "Level | tuple[Value, ...]"
"""The level of a value, or of each entry of a tuple."""


class Each(tuple["Value", ...]):
    """The value of a sequence whose elements are tuples: the level of each entry of an element (`zip(scores, labels)`)."""


class Keyed(tuple["Value", ...]):
    """The value of a dictionary: the level of its keys and the level of its values."""


def top(value: Value) -> Level:
    """The highest level inside a value."""
    if isinstance(value, tuple):
        return max((top(part) for part in value), default=Level.PASSIVE)
    return value


def join(left: Value, right: Value) -> Value:
    """The value after two branches meet: tuples of equal length entry by entry, anything else by its top."""
    if isinstance(left, tuple) and isinstance(right, tuple) and len(left) == len(right) and type(left) is type(right):
        return type(left)(join(a, b) for a, b in zip(left, right))
    return max(top(left), top(right))


def at_least(value: Value, level: Level) -> Value:
    if isinstance(value, tuple):
        return type(value)(at_least(part, level) for part in value)
    return max(value, level)


ENTRY = -1
"""The pseudo statement that defines the parameters."""


@dataclass(frozen=True)
class Loop:
    """A loop around a step: a `for` statement or the `for` of a comprehension."""

    node: cst.For | cst.CompFor
    statement: int


@dataclass(frozen=True)
class Statement:
    """A statement and its place in the control structure; `control` are the statements that decide whether it runs."""

    id: int
    node: cst.BaseStatement
    parent: int
    block: tuple[int, ...]  # path of (statement, branch) numbers: equal paths are the same list of statements
    control: tuple[int, ...]
    loops: tuple[Loop, ...]


@dataclass(frozen=True, eq=False)
class Site:
    """One step operation at one place: `rule` rewrites `node`; `rest` are the user's further arguments, verbatim."""

    rule: str
    using: str
    node: cst.BaseExpression
    operands: tuple[cst.BaseExpression, ...]
    statement: int
    rest: tuple[cst.Arg, ...] = ()
    op: str | None = None
    part: int = 0  # place in a chained comparison
    guards: tuple[tuple[cst.BaseExpression, bool], ...] = ()
    loops: tuple[Loop, ...] = ()
    callee: FunctionFacts | None = None
    key: cst.BaseExpression | None = None  # Python's `sorted(items, key=…)`
    pair: bool = False  # the call returns (values, indices) and the statement unpacks both


@dataclass(frozen=True, eq=False)
class FunctionFacts:
    """Everything known about one function called with arguments of given levels."""

    function: Function
    arguments: tuple[Value, ...]
    statements: tuple[Statement, ...]
    levels: Mapping[cst.CSTNode, Value]
    reach: Mapping[cst.CSTNode, frozenset[int]]  # a loaded name → the statements whose definition it may see
    before: Mapping[int, Mapping[str, frozenset[int]]]  # the definitions that reach each statement
    defines: Mapping[int, frozenset[str]]
    sites: tuple[Site, ...]
    calls: Mapping[cst.CSTNode, FunctionFacts]  # calls of own functions that receive active values
    returns: tuple[int, ...]
    result: Value
    problems: tuple[Diagnostic, ...]
    aliases: Mapping[cst.CSTNode, cst.Name]  # `found.indices` → `found`, where g holds the indices under that name
    writes: Mapping[str, Level]  # parameters that are written to in place, and the level of what is written
    unshaped: tuple[cst.CSTNode, ...]  # definitions and loops that have to be rewritten before they can be factored

    def statement_of(self, node: cst.BaseStatement) -> Statement:
        return next(s for s in self.statements if s.node is node)

    def level(self, node: cst.CSTNode) -> Level:
        return top(self.levels.get(node, Level.PASSIVE))


def small_of(node: cst.CSTNode | None) -> cst.BaseSmallStatement | None:
    """The one small statement of a line; of several on a line (`a = 1; b = 2`) the last."""
    return node.body[-1] if isinstance(node, cst.SimpleStatementLine) else None


def walk(node: cst.CSTNode, cut: frozenset[cst.CSTNode] = frozenset()) -> Iterator[cst.CSTNode]:
    """A node and everything below it in source order; nodes in `cut` and what is below them are left out."""
    if node in cut:
        return
    yield node
    for child in node.children:
        yield from walk(child, cut)

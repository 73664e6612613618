"""Turns the text of a file into the same text without the definitions and values that the functions asked for do not reach.

What is left out becomes empty lines, so that every place stays what it was.  In a large module of a package most of the
time of compiling one function is spent on the others.
"""

from __future__ import annotations

import ast
import symtable
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_ASSIGNMENTS = (ast.Assign, ast.AnnAssign)
_IMPORTS = (ast.Import, ast.ImportFrom)


def reached(text: str, functions: Sequence[str]) -> str:
    """The text with what `functions` reach; all of it where that cannot be told."""
    try:
        body = ast.parse(text).body
        scopes = symtable.symtable(text, "", "exec").get_children()
    except (SyntaxError, ValueError):
        return text
    if not set(functions) <= {node.name for node in body if isinstance(node, _DEFINITIONS)}:
        return text
    lines = text.splitlines(keepends=True)
    if len(lines) != text.count("\n") + (not text.endswith("\n")):  # form feeds and other ends of lines
        return text
    within = {(scope.get_name(), scope.get_lineno()): {*_globals(scope)} for scope in scopes}
    kept = _kept([_Statement.of(node, within) for node in body], frozenset(functions))
    used = Counter(line for node in body for line in set(_lines(node)))
    for node in body:
        start, end = _lines(node)
        alone = used[start] == used[end] == 1
        plain = isinstance(node, (*_DEFINITIONS, *_ASSIGNMENTS)) and not {*_touched(node)}
        if plain and alone and not kept & {*_bound(node)}:
            lines[start - 1 : end] = ["\n"] * (end - start + 1)
    return "".join(lines)


@dataclass(frozen=True)
class _Statement:
    """The names of the module that a top-level statement binds, and those it reads."""

    bound: frozenset[str]
    read: frozenset[str]
    imports: bool
    touched: frozenset[str]  # what it may change without binding it

    @classmethod
    def of(cls, node: ast.stmt, within: Mapping[tuple[str, int], set[str]]) -> _Statement:
        names = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
        if isinstance(node, _DEFINITIONS):
            outside = [*node.decorator_list, *([node.args] if not isinstance(node, ast.ClassDef) else node.bases)]
            places = (within.get((node.name, line)) for line in {node.lineno, _lines(node)[0]})
            found = next((one for one in places if one is not None), None)
            at_once = {inner.id for part in outside for inner in ast.walk(part) if isinstance(inner, ast.Name)}
            names = names if found is None else found | at_once
        read = frozenset(names | {*_words(node)})
        return cls(frozenset(_bound(node)), read, isinstance(node, _IMPORTS), frozenset(_touched(node)))


def _kept(statements: Sequence[_Statement], names: frozenset[str]) -> frozenset[str]:
    """The names that those lead to, through what binds them and what else is done with them."""
    waiting = list(statements)
    made = frozenset(name for one in statements if not one.imports for name in one.bound)
    while True:
        found = [one for one in waiting if names & one.bound or names & made & one.touched]
        if not found:
            return names
        waiting = [one for one in waiting if one not in found]
        names = names.union(*(one.bound | one.read for one in found))


def _lines(node: ast.stmt) -> tuple[int, int]:
    decorators = getattr(node, "decorator_list", ())
    return min((one.lineno for one in decorators), default=node.lineno), node.end_lineno or node.lineno


def _globals(scope: symtable.SymbolTable) -> Iterator[str]:
    for symbol in scope.get_symbols():
        if symbol.is_global():
            yield symbol.get_name()
    for inner in scope.get_children():
        yield from _globals(inner)


def _touched(node: ast.stmt) -> Iterator[str]:
    """Names of what a statement may change without binding them: `table[key] = …`, `register(metric)`."""
    if isinstance(node, (*_DEFINITIONS, *_IMPORTS)):
        return
    parts: Sequence[ast.AST] = [node]
    if isinstance(node, ast.Assign):
        parts = [target for target in node.targets if not isinstance(target, ast.Name)]
    elif isinstance(node, ast.AnnAssign):
        parts = [] if isinstance(node.target, ast.Name) else [node.target]
    yield from (inner.id for part in parts for inner in ast.walk(part) if _is_read(inner))  # type: ignore[attr-defined]


def _is_read(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store)


def _bound(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, _DEFINITIONS):
        yield node.name
        return
    for inner in ast.walk(node):
        if isinstance(inner, _DEFINITIONS):
            yield inner.name
        elif isinstance(inner, ast.alias):
            yield (inner.asname or inner.name).partition(".")[0]
        elif isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            yield inner.id


def _words(node: ast.stmt) -> Iterator[str]:
    """Names in quotes: annotations, names that are looked up."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str) and inner.value.isidentifier():
            yield inner.value

"""Finds a metric that is written inside an evaluation loop, and says which lines to lift out of it."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from dataclasses import dataclass

from metric2loss.diagnostics import Diagnostic, Span

_STEP = re.compile(
    r"argmax|argmin|argsort|\bsort|topk|\bmax\(|\bmin\(|round|\.[gl][te]\(|[<>]|\bnp\.where|searchsorted|digitize"
)


@dataclass(frozen=True)
class _Found:
    call: ast.stmt  # where the model is called
    scores: tuple[str, ...]
    lines: tuple[ast.stmt, ...]  # from the scores to the value
    value: str  # what is added up
    result: ast.stmt


def inlined(text: str, path: str, first: int = 1, last: int = 10**9) -> Diagnostic | None:
    """The diagnostic for the first evaluation loop in these lines; None where there is none."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return None
    known = _known(tree)
    for loop in ast.walk(tree):
        if isinstance(loop, (ast.For, ast.AsyncFor)) and first <= loop.lineno <= last:
            found = _in_loop(loop, known)
            if found is not None:
                return _diagnostic(found, path, known)
    return None


def _known(tree: ast.Module) -> frozenset[str]:
    """Names that are no parameters of a metric: built-ins, imports, functions of the file."""
    names = set(dir(builtins))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
    return frozenset(names)


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The simple statements of a loop, in order, also those in `with`, `if` and `try`."""
    for node in body:
        inner = [part for name in ("body", "orelse", "finalbody") for part in getattr(node, name, [])]
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            continue
        if inner:
            yield from _statements(inner)
        else:
            yield node


def _in_loop(loop: ast.For | ast.AsyncFor, known: frozenset[str]) -> _Found | None:
    data = _names(loop.target)
    scores: set[str] = set()
    call: ast.stmt | None = None
    after: list[ast.stmt] = []
    counts: list[str] = []
    for node in _statements(loop.body):
        loads, binds = _loads(node), _binds(node)
        if call is None:
            if isinstance(node, ast.Assign) and _calls_model(node.value, data, known):
                call, scores = node, set(binds)
            elif loads & data:
                data |= binds
            continue
        if loads & scores:
            after.append(node)
            scores |= binds
        elif isinstance(node, ast.AugAssign) and loads & data:
            counts.append(ast.unparse(node.value))
    return None if call is None else _lifted(call, after, counts)


def _calls_model(value: ast.expr, data: set[str], known: frozenset[str]) -> bool:
    """Whether something that is neither a library's nor a method of the data is called with the data."""
    for node in ast.walk(value):
        if not isinstance(node, ast.Call):
            continue
        root: ast.expr = node.func
        while isinstance(root, (ast.Attribute, ast.Subscript)):
            root = root.value
        named = isinstance(root, ast.Name) and root.id not in known and root.id not in data
        given = {name for part in (*node.args, *(word.value for word in node.keywords)) for name in _names(part)}
        if named and given & data:
            return True
    return False


def _lifted(call: ast.stmt, after: list[ast.stmt], counts: list[str]) -> _Found | None:
    """The lines between the scores and what is added up, where one of them is a step."""
    for result in after:
        value = _added(result)
        if value is None:
            continue
        lines: list[ast.stmt] = []
        wanted = _names(value)
        for node in reversed(after[: after.index(result)]):
            if _binds(node) & wanted:
                lines.insert(0, node)
                wanted |= _loads(node)
        if _STEP.search("\n".join([*map(ast.unparse, lines), ast.unparse(value)])):
            text = re.sub(r"\.item\(\)$", "", ast.unparse(value))
            number = f"{text} / {counts[0]}" if counts and isinstance(result, ast.AugAssign) else text
            return _Found(call, tuple(sorted(_binds(call) & wanted)), tuple(lines), number, result)
    return None


def _added(node: ast.stmt) -> ast.expr | None:
    """What `total += value` or `values.append(value)` adds."""
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
        return node.value
    call = node.value if isinstance(node, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return None
    return call.args[0] if call.func.attr == "append" and len(call.args) == 1 else None


def _diagnostic(found: _Found, path: str, known: frozenset[str]) -> Diagnostic:
    bound = {name for node in found.lines for name in _binds(node)}
    value = ast.parse(found.value, mode="eval").body
    loads = [name for node in (*found.lines, value) for name in sorted(_loads(node))]
    others = dict.fromkeys(name for name in loads if name not in bound | known | set(found.scores))
    parameters = ", ".join([*found.scores, *others])
    body = "\n".join(f"    {line}" for node in found.lines for line in ast.unparse(node).splitlines())
    lifted = f"def metric({parameters}):\n{body}\n    return {found.value}".replace("\n\n", "\n")
    start = found.lines[0] if found.lines else found.result
    span = Span(path, start.lineno, start.col_offset + 1, start.end_lineno or 0, (start.end_col_offset or 0) + 1)
    last = found.result.lineno
    where = f"Lines {start.lineno} to {last} belong" if last > start.lineno else f"Line {last} belongs"
    return Diagnostic(
        "M2L114",
        span,
        "a metric is written inside an evaluation loop",
        f"The model is called in line {found.call.lineno}, and the steps after it are added up batch by batch; "
        "a loss is made of a function of one batch.",
        f"{where} into a function, which the loop can call, too; its loss takes the scores of a batch:\n{lifted}\n"
        f"Compile it with --scores {','.join(found.scores)}.",
    )


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _loads(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)}


def _binds(node: ast.AST) -> set[str]:
    if isinstance(node, ast.AugAssign):
        return set()
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}

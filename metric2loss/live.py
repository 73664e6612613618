"""Turns a live function into the text to compile: its file as it was imported, or a text that stands on its own.

A top-level function of a file needs nothing but the file.  A function from a notebook cell or from inside another
function uses names that its text does not bind; they are added *below* the text, so that every line keeps its number.
"""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from metric2loss.diagnostics import Diagnostic, MetricError, Span

_PLAIN = (int, float, complex, str, bytes, bool, type(None))


@dataclass(frozen=True)
class LiveSource:
    """What `compiler.compile_text` needs to know about a live function."""

    path: str
    text: str
    function: str
    bound: Mapping[str, object] = field(default_factory=dict)  # parameters that functools.partial has filled
    given: Mapping[str, object] = field(default_factory=dict)  # values of names that no text can bind


def live_source(metric: Callable[..., Any]) -> LiveSource:
    """The text around `metric`; raises MetricError when there is none or when it is not a function."""
    function, bound = _unbind(metric)
    text = "".join(_lines(function))
    node, parents = _find(function, text)
    if any(isinstance(parent, ast.ClassDef) for parent in parents) and _takes_self(node):
        raise _refuse_method(function.__qualname__, _span(function, node), text)
    if parents:
        text = _moved_out(text, node, parents[0])
    additions, given = _complete(function, text, node.name)
    if additions:
        text = text.rstrip("\n") + "\n\n\n" + "\n".join(additions) + "\n"
    return LiveSource(function.__code__.co_filename, text, node.name, bound, given)


def _unbind(metric: object) -> tuple[types.FunctionType, Mapping[str, object]]:
    """The plain function under partials and wrappers, with the parameters the partials filled."""
    bound: dict[str, object] = {}
    while not isinstance(metric, types.FunctionType) or hasattr(metric, "__wrapped__"):
        if isinstance(metric, functools.partial):
            bound = {**_filled(metric), **bound}
            metric = metric.func
        elif inspect.ismethod(metric) or isinstance(metric, type):
            raise _refuse_method(getattr(metric, "__qualname__", repr(metric)), None, None)
        elif hasattr(metric, "__wrapped__"):
            metric = metric.__wrapped__
        elif hasattr(metric, "py_func"):  # numba
            metric = metric.py_func
        else:
            raise _refuse_without_source(metric)
    return metric, bound


def unbound(metric: Any) -> tuple[Any, Mapping[str, object]]:
    """The callable under partials, with the parameters they filled; wrappers are left where they are."""
    bound: dict[str, object] = {}
    while isinstance(metric, functools.partial):
        bound = {**_filled(metric), **bound}
        metric = metric.func
    return metric, bound


def called(metric: Any) -> Any:
    """The method that a call of a torch module comes to; anything else as it is."""
    torch = sys.modules.get("torch")
    return metric.forward if torch is not None and isinstance(metric, torch.nn.Module) else metric


def _filled(partial: functools.partial[Any]) -> dict[str, object]:
    try:
        return dict(inspect.signature(partial.func).bind_partial(*partial.args, **partial.keywords).arguments)
    except TypeError as error:
        hint = "Give functools.partial arguments that the function has."
        raise MetricError(Diagnostic("M2L503", None, f"{partial!r} cannot be called", f"{error}.", hint)) from None


def _lines(function: types.FunctionType) -> list[str]:
    filename = function.__code__.co_filename
    linecache.checkcache(filename)
    lines = linecache.getlines(filename, function.__globals__)
    if not lines:
        raise _refuse_without_source(function)
    return lines


def _find(function: types.FunctionType, text: str) -> tuple[ast.FunctionDef, tuple[ast.stmt, ...]]:
    """The definition of the function and the definitions around it, outermost first."""
    first = function.__code__.co_firstlineno
    try:
        tree = ast.parse(text)
    except SyntaxError:
        tree = ast.Module([], [])
    for node, parents in _definitions(tree.body, ()):
        if node.name == function.__code__.co_name and first in (node.lineno, _first_line(node)):
            return node, parents
    if function.__code__.co_name == "<lambda>":
        why, hint = "A lambda has no name and no lines of its own.", "Write the metric with `def`."
    else:
        why = f"No `def {function.__code__.co_name}` stands at line {first} of its file any more."
        hint = "The file has changed since it was imported: import it again."
    message = f"the source of {function.__qualname__} cannot be found"
    span = Span(function.__code__.co_filename, first, 1, first, 1)
    raise MetricError(Diagnostic("M2L110", span, message, why, hint), {span.path: text})


def _definitions(
    body: list[ast.stmt], parents: tuple[ast.stmt, ...]
) -> Iterator[tuple[ast.FunctionDef, tuple[ast.stmt, ...]]]:
    for node in body:
        if isinstance(node, ast.FunctionDef):
            yield node, parents
        inside = parents
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inside = (*parents, node)
        for name in ("body", "orelse", "finalbody"):
            yield from _definitions(getattr(node, name, []), inside)
        for handler in getattr(node, "handlers", []):
            yield from _definitions(handler.body, inside)


def _first_line(node: ast.FunctionDef | ast.ClassDef) -> int:
    return min((decorator.lineno for decorator in node.decorator_list), default=node.lineno)


def _takes_self(node: ast.FunctionDef) -> bool:
    static = any(isinstance(item, ast.Name) and item.id == "staticmethod" for item in node.decorator_list)
    return not static


def _span(function: types.FunctionType, node: ast.FunctionDef) -> Span:
    column = node.col_offset + 1
    return Span(function.__code__.co_filename, node.lineno, column, node.lineno, column + len(f"def {node.name}"))


def _moved_out(text: str, node: ast.FunctionDef, outermost: ast.stmt) -> str:
    """The text with `outermost` blanked but for the definition, which moves to the margin; lines keep their numbers."""
    lines = text.splitlines()
    start = _first_line(outermost) if isinstance(outermost, ast.FunctionDef | ast.ClassDef) else outermost.lineno
    for number in range(start, (outermost.end_lineno or start) + 1):
        inside = node.lineno <= number <= (node.end_lineno or node.lineno)  # its own decorators stay outside
        line = lines[number - 1]
        indent = len(line) - len(line.lstrip())
        lines[number - 1] = line[min(indent, node.col_offset) :] if inside else ""
    return "\n".join(lines) + "\n"


def _complete(function: types.FunctionType, text: str, own_name: str) -> tuple[tuple[str, ...], Mapping[str, object]]:
    """Lines that bind the names the function needs and the text does not, and the values no line can express."""
    bound = _names_bound(ast.parse(text)) | {own_name}
    lines: list[str] = []
    given: dict[str, object] = {}
    waiting = [function]
    while waiting:
        for name, value in free_names(waiting.pop()):
            if name in bound:
                continue
            bound.add(name)
            if isinstance(value, types.FunctionType) and _is_users(value, name):
                lines.append(_definition_text(value))
                waiting.append(value)
            elif (line := _binding(name, value)) is not None:
                lines.append(line)
            else:
                given[name] = value
    return tuple(lines), given


def free_names(function: types.FunctionType) -> Iterator[tuple[str, object]]:
    """The global and closure names a function reads, with their values now; builtins and unset names are left out."""
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    for name, cell in cells.items():
        try:
            yield name, cell.cell_contents
        except ValueError:  # a cell that is filled later, such as the function's own name
            continue
    for code in _codes(function.__code__):
        for name in code.co_names:
            if name in function.__globals__:
                yield name, function.__globals__[name]


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _names_bound(tree: ast.Module) -> set[str]:
    """Names bound anywhere at the top level, inside its `if`, `try` and `with` too."""
    names: set[str] = set()
    waiting: list[ast.AST] = [tree]
    while waiting:
        for node in ast.iter_child_nodes(waiting.pop()):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.add(node.name)
                continue
            if isinstance(node, ast.alias):
                names.add((node.asname or node.name).partition(".")[0])
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
            waiting.append(node)
    return names


def _binding(name: str, value: object) -> str | None:
    """One line that binds `name` to `value` in a fresh module, or None when only the live value will do."""
    if isinstance(value, types.ModuleType):
        return f"import {value.__name__}" if value.__name__ == name else f"import {value.__name__} as {name}"
    if isinstance(value, _PLAIN) or (isinstance(value, tuple) and all(isinstance(item, _PLAIN) for item in value)):
        return f"{name} = {value!r}" if "inf" not in repr(value) and "nan" not in repr(value) else None
    home, known = getattr(value, "__module__", None), getattr(value, "__name__", None)
    if not home or not known or home == "__main__" or not known.isidentifier():
        return None
    return f"from {home} import {known}" if known == name else f"from {home} import {known} as {name}"


def _is_users(value: types.FunctionType, name: str) -> bool:
    """Whether the text of a helper is wanted: it is not importable, as in a notebook or inside a function."""
    nowhere = value.__module__ == "__main__" or "<locals>" in value.__qualname__
    return nowhere and value.__code__.co_name == name and bool(linecache.getlines(value.__code__.co_filename))


def _definition_text(function: types.FunctionType) -> str:
    text = "".join(_lines(function))
    node, _ = _find(function, text)
    lines = text.splitlines()[node.lineno - 1 : node.end_lineno]
    return "\n".join(line[min(len(line) - len(line.lstrip()), node.col_offset) :] for line in lines) + "\n"


def _refuse_method(name: str, span: Span | None, text: str | None) -> MetricError:
    why = "What a method computes depends on the state of its object, which the generated module would not have."
    hint = "Write the metric as a function of scores and targets; it may call the method with discrete values."
    found = Diagnostic("M2L113", span, f"`{name}` is not a plain function", why, hint)
    return MetricError(found, {span.path: text} if span is not None and text is not None else {})


def _refuse_without_source(metric: object) -> MetricError:
    name = getattr(metric, "__qualname__", None) or type(metric).__name__
    why = "It is not written in Python, or its text was never kept (exec, an interactive session)."
    hint = "Write a function that calls it, in a file or a notebook cell, and compile that function."
    return MetricError(Diagnostic("M2L110", None, f"the source of `{name}` cannot be found", why, hint))

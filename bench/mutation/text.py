"""From the text of a generated module to texts in which one thing is wrong."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_FLIPPED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "!=", "!=": "=="}
_TIE = {">": ">=", ">=": ">", "<": "<=", "<=": "<"}


@dataclass(frozen=True)
class Mutant:
    """One altered program: in which way, where, and its text."""

    kind: str
    place: str
    text: str


Change = Callable[[ast.AST], bool]


def mutants(text: str) -> Iterator[Mutant]:
    """Every mutant of a module; the order is that of the text."""
    tree = ast.parse(text)
    for kind, change in CHANGES.items():
        for number in range(10_000):
            altered = copy.deepcopy(tree)
            place = _nth(altered, number, change)
            if place is None:
                break
            ast.fix_missing_locations(altered)
            yield Mutant(kind, place, ast.unparse(altered))


def _nth(tree: ast.Module, number: int, change: Change) -> str | None:
    """Applies a change at the n-th place where it can be made; None when there are fewer."""
    for scope in _programs(tree):
        for node in ast.walk(scope):
            if not _applies(node, change):
                continue
            if number:
                number -= 1
                continue
            before = ast.unparse(node)[:60]
            change(node)
            return f"{scope.name}: {before}"
    return None


def _applies(node: ast.AST, change: Change) -> bool:
    return change(copy.deepcopy(node))


def _programs(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """f, g and rows of the loss, and the two halves of its helpers."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from (one for one in node.body if isinstance(one, ast.FunctionDef))
        elif isinstance(node, ast.FunctionDef) and node.name.endswith(("_f", "_g")):
            yield node


# --- what a node is


def _step_call(node: ast.AST, method: str) -> str:
    """The operation of `steps.K.differences(...)` or `steps.K.result(...)`, else ""."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method):
        return ""
    home = node.func.value
    if isinstance(home, ast.Attribute) and isinstance(home.value, ast.Name) and home.value.id.endswith("steps"):
        return home.attr
    return ""


def _wrap(node: ast.Call, name: str) -> None:
    """node → name(node), in place."""
    inner = ast.Call(node.func, node.args, node.keywords)
    node.func, node.args, node.keywords = ast.Name(name, ast.Load()), [inner], []


def _wrapping(method: str, name: str, operations: tuple[str, ...] = ()) -> Change:
    def change(node: ast.AST) -> bool:
        operation = _step_call(node, method)
        if not operation or (operations and operation not in operations):
            return False
        assert isinstance(node, ast.Call)
        _wrap(node, name)
        return True

    return change


# --- changes


def _operator(table: dict[str, str]) -> Change:
    def change(node: ast.AST) -> bool:
        if _step_call(node, "differences") != "compare":
            return False
        assert isinstance(node, ast.Call)
        op = node.args[1]
        if not (isinstance(op, ast.Constant) and op.value in table):
            return False
        op.value = table[op.value]
        return True

    return change


def _operands(node: ast.AST) -> bool:
    if _step_call(node, "differences") != "compare":
        return False
    assert isinstance(node, ast.Call)
    node.args[0], node.args[2] = node.args[2], node.args[0]
    return True


def _sign(node: ast.AST) -> bool:
    if not _step_call(node, "differences"):
        return False
    assert isinstance(node, ast.Call)
    first = node.args[0]
    if isinstance(first, ast.UnaryOp) and isinstance(first.op, ast.USub):
        node.args[0] = first.operand
    else:
        node.args[0] = ast.UnaryOp(ast.USub(), first)
    return True


def _axis(node: ast.AST) -> bool:
    if not _step_call(node, "differences"):
        return False
    assert isinstance(node, ast.Call)
    for word in node.keywords:
        if word.arg in ("axis", "dim") and isinstance(word.value, ast.Constant) and word.value.value in (0, 1, 2):
            word.value = ast.Constant(0 if word.value.value else 1)
            return True
    return False


def _apart(names: tuple[str, ...], wrapper: str) -> Change:
    """Items told apart by less: wrapped, or (wrapper "") by nothing that was written."""

    def change(node: ast.AST) -> bool:
        if not _step_call(node, "differences"):
            return False
        assert isinstance(node, ast.Call)
        for word in node.keywords:
            if word.arg in names:
                if wrapper:
                    word.value = ast.Call(ast.Name(wrapper, ast.Load()), [word.value], [])
                else:
                    node.keywords.remove(word)
                return True
        return False

    return change


def _one_array_fewer(node: ast.AST) -> bool:
    if not _step_call(node, "differences"):
        return False
    assert isinstance(node, ast.Call)
    for word in node.keywords:
        if word.arg == "told_apart_by" and isinstance(word.value, ast.Tuple) and len(word.value.elts) > 1:
            word.value.elts.pop()
            return True
    return False


def _frozen(node: ast.AST) -> bool:
    """One read of the binaries is answered by the scores at hand, as if the step had been left in g."""
    if not isinstance(node, ast.FunctionDef) or node.name not in ("g", "rows"):
        return False
    for call in ast.walk(node):
        read = _read_of_binaries(call)
        if read is not None:
            read.id = "_hard"
            return True
    return False


def _read_of_binaries(call: ast.AST) -> ast.Name | None:
    if not isinstance(call, ast.Call):
        return None
    is_helper = isinstance(call.func, ast.Name) and call.func.id.endswith("_g")
    if not (_step_call(call, "result") or is_helper) or not call.args:
        return None
    for inner in ast.walk(call.args[0]):
        if isinstance(inner, ast.Name) and inner.id == "binaries":
            return inner
    return None


def _neighbour(node: ast.AST) -> bool:
    """The binaries of the step's run before: an index that is off by one."""
    if not (isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load)):
        return False
    if not ast.unparse(node.value).startswith("binaries.") or isinstance(node.slice, ast.Slice):
        return False
    key = node.slice.elts[-1] if isinstance(node.slice, ast.Tuple) else node.slice
    if not isinstance(key, ast.Name):
        return False
    off = ast.parse(f"max({key.id} - 1, 0)", mode="eval").body
    if isinstance(node.slice, ast.Tuple):
        node.slice.elts[-1] = off
    else:
        node.slice = off
    return True


def _deleted(node: ast.AST) -> bool:
    """The statement that records a step is gone."""
    body = getattr(node, "body", None)
    if not isinstance(body, list):
        return False
    for number, statement in enumerate(body):
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]).startswith("tape."):
            body[number] = ast.Pass()
            return True
    return False


def _number(node: ast.AST) -> bool:
    """A slice or an index that is off by one."""
    if isinstance(node, ast.Slice):
        for part in (node.upper, node.lower):
            if isinstance(part, ast.Constant) and type(part.value) is int and part.value > 0:
                part.value += 1
                return True
        if isinstance(node.upper, ast.Name):
            node.upper = ast.BinOp(node.upper, ast.Sub(), ast.Constant(1))
            return True
    return False


def _arithmetic(node: ast.AST) -> bool:
    table = {ast.Add: ast.Sub(), ast.Sub: ast.Add(), ast.Mult: ast.Div(), ast.Div: ast.Mult()}
    if isinstance(node, ast.BinOp) and type(node.op) in table:
        node.op = table[type(node.op)]
        return True
    return False


def _comparison(node: ast.AST) -> bool:
    table = {
        ast.Gt: ast.GtE(),
        ast.GtE: ast.Gt(),
        ast.Lt: ast.LtE(),
        ast.LtE: ast.Lt(),
        ast.Eq: ast.NotEq(),
        ast.NotEq: ast.Eq(),
    }
    if isinstance(node, ast.Compare) and type(node.ops[0]) in table:
        node.ops[0] = table[type(node.ops[0])]
        return True
    return False


CHANGES: dict[str, Change] = {
    "left in g": _frozen,
    "kept as recorded": _wrapping("differences", "_kept"),
    "recording deleted": _deleted,
    "one binary lost": _wrapping("differences", "_without_one"),
    "operator turned": _operator(_FLIPPED),
    "operator's tie": _operator(_TIE),
    "operands exchanged": _operands,
    "sign of the operand": _sign,
    "ties the other way": _wrapping("differences", "_other_ties"),
    "another axis": _axis,
    "told apart by nothing": _apart(("told_apart_by", "supposed_apart_by"), "_coarse"),
    "outcomes taken for equal": _apart(("outcome", "classes"), "_coarser"),
    "outcome dropped": _apart(("outcome",), ""),
    "one array fewer tells apart": _one_array_fewer,
    "pruning dropped": _apart(("told_apart_by", "supposed_apart_by", "classes"), ""),
    "result reversed": _wrapping("result", "_reversed"),
    "inverse permutation": _wrapping("result", "_inverse", ("order",)),
    "binaries of another row": _neighbour,
    "off by one": _number,
    "arithmetic": _arithmetic,
    "comparison in g": _comparison,
}

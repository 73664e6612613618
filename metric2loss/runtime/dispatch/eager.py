"""Makes comparisons that Python skips be made: `a <= x and x <= b`, `a <= x <= b`, `if x > b: … elif x < a: …`; and loops
that compare scores and add up run for all iterations at once.

Whether the second comparison runs depends on the first.  A run of other binaries would come to comparisons that were never
recorded, and its n-th comparison would be that of another number.  Where evaluating them all is harmless (numbers in names are
compared, nothing is called), the code of the function is compiled anew so that all are evaluated; the lines stay where they are.
"""

from __future__ import annotations

import ast
import copy
import linecache
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from types import CodeType
from typing import Any

from metric2loss.runtime.dispatch import lanes, loops

_ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_PLAIN = (
    ast.Name,
    ast.Constant,
    ast.Attribute,
    ast.UnaryOp,
    ast.BinOp,
    ast.Subscript,
    ast.operator,
    ast.unaryop,
    ast.expr_context,
)
_TESTS = "__metric2loss_tests__"
_SUMS = "__metric2loss_sums__"


def every(*values: Any) -> Any:
    """`a and b and c` of values that are known."""
    found = values[0]
    for value in values[1:]:
        if not found:
            return found
        found = value
    return found


def some(*values: Any) -> Any:
    """`a or b or c` of values that are known."""
    found = values[0]
    for value in values[1:]:
        if found:
            return found
        found = value
    return found


BUILT_INS = {"__metric2loss_every__": every, "__metric2loss_some__": some, "__metric2loss_loop__": lanes.run}


def code_of(code: CodeType) -> CodeType:
    """The code in which all such comparisons are made; the given one where there are none."""
    found = _codes(code.co_filename).get((code.co_name, code.co_firstlineno))
    same = (
        found is not None
        and found.co_freevars == code.co_freevars
        and found.co_varnames[: code.co_argcount] == (code.co_varnames[: code.co_argcount])
    )
    return found if found is not None and same else code


@cache
def _codes(path: str) -> Mapping[tuple[str, int], CodeType]:
    """The functions of a file that had to be changed, by name and first line."""
    text = "".join(linecache.getlines(path))
    if not any(word in text for word in (" and ", "elif", " or ", "<", ">", "for ")):
        return {}
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return {}
    changed = _Eager(path)
    tree = ast.fix_missing_locations(changed.visit(tree))
    if not changed.lines:
        return {}
    whole = compile(tree, path, "exec", dont_inherit=True)
    found = {}
    for code in _inside(whole):
        last = max((line for _, _, line in code.co_lines() if line), default=0)
        if any(code.co_firstlineno <= line <= last for line in changed.lines):
            found[code.co_name, code.co_firstlineno] = code
    return found


def _inside(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _inside(constant)


class _Eager(ast.NodeTransformer):
    def __init__(self, path: str) -> None:
        self.lines: list[int] = []
        self._path = path
        self._function: ast.AST | None = None

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Names belong to the innermost function."""
        before, self._function = self._function, node
        self.generic_visit(node)
        self._function = before
        return node

    def visit_For(self, node: ast.For) -> Any:
        """A loop whose iterations can all be run at once is asked for its sums; it runs as it is where there are none."""
        loop = loops.found(node, self._function)
        if loop is None:
            self.generic_visit(node)
            return node
        key = f"{self._path}:{node.lineno}:{node.col_offset}"
        lanes.LOOPS[key] = replace(loop, node=copy.deepcopy(node))
        self.lines.append(node.lineno)
        self.generic_visit(node)
        asked = ast.Call(ast.Name("__metric2loss_loop__", ast.Load()), [ast.Constant(key)], [])
        sums = ast.Name(_SUMS, ast.Load())
        names: list[ast.expr] = [ast.Name(name, ast.Store()) for name in loop.sums]
        chosen = ast.If(
            ast.Compare(sums, [ast.Is()], [ast.Constant(None)]),
            [node],
            [ast.Assign([ast.Tuple(names, ast.Store())], ast.Name(_SUMS, ast.Load()))],
        )
        return [_placed(line, node) for line in (ast.Assign([ast.Name(_SUMS, ast.Store())], asked), chosen)]

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        """`a and b`, `a or b`."""
        if not _harmless(node.values):
            self.generic_visit(node)
            return node
        name = "__metric2loss_every__" if isinstance(node.op, ast.And) else "__metric2loss_some__"
        return self._called(node, name, [self.visit(value) for value in node.values])

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """`a <= x <= b`."""
        if len(node.ops) < 2 or not _harmless([node]):
            self.generic_visit(node)
            return node
        sides = [node.left, *node.comparators]
        pairs = [ast.Compare(a, [op], [b]) for a, op, b in zip(sides, node.ops, sides[1:])]
        return self._called(node, "__metric2loss_every__", list(pairs))

    def visit_If(self, node: ast.If) -> Any:
        """`if a: … elif b: …`."""
        chain = [node]
        while len(chain[-1].orelse) == 1 and isinstance(chain[-1].orelse[0], ast.If):
            chain.append(chain[-1].orelse[0])
        if len(chain) < 2 or not _harmless([one.test for one in chain]):
            self.generic_visit(node)
            return node
        tests = ast.Tuple([self.visit(one.test) for one in chain], ast.Load())
        for number, one in enumerate(chain):
            place = ast.Subscript(ast.Name(_TESTS, ast.Load()), ast.Constant(number), ast.Load())
            one.test = ast.copy_location(place, one.test)
        self.lines.append(node.lineno)
        for one in chain:
            one.body = [found for line in one.body for found in _listed(self.visit(line))]
        last = chain[-1]
        last.orelse = [found for line in last.orelse for found in _listed(self.visit(line))]
        return [ast.copy_location(ast.Assign([ast.Name(_TESTS, ast.Store())], tests), node), node]

    def _called(self, node: ast.expr, name: str, values: list[ast.expr]) -> ast.expr:
        self.lines.append(node.lineno)
        return ast.copy_location(ast.Call(ast.Name(name, ast.Load()), values, []), node)


def _placed(made: ast.stmt, node: ast.For) -> ast.stmt:
    """New lines stand where the loop began: that is where its steps are."""
    for part in (made, *ast.iter_child_nodes(made)):
        if part is not node and not hasattr(part, "lineno"):
            ast.copy_location(part, node)
            if hasattr(part, "end_lineno"):
                part.end_lineno = node.lineno
    return made


def _listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found]


def _harmless(tests: list[ast.expr]) -> bool:
    """Whether all tests may be evaluated whatever the first says: numbers are compared, indexed as in the first."""
    if not all(_compares(test) for test in tests):
        return False
    subscripts = [{_place(n) for n in ast.walk(test) if isinstance(n, ast.Subscript)} for test in tests]
    return all(found <= subscripts[0] for found in subscripts[1:])


def _place(node: ast.Subscript) -> str:
    """What is read where: `edges[0]` and `edges[1]` are entries of one table, `x[i]` and `x[j]` may be out of reach."""
    fixed = isinstance(node.slice, ast.Constant) and isinstance(node.value, ast.Name)
    return f"{ast.unparse(node.value)}[]" if fixed else ast.unparse(node.slice)


def _compares(test: ast.expr) -> bool:
    if isinstance(test, ast.BoolOp):
        return _harmless(test.values)
    if not (isinstance(test, ast.Compare) and all(isinstance(op, _ORDER) for op in test.ops)):
        return False
    parts = [part for side in (test.left, *test.comparators) for part in ast.walk(side)]
    divides = any(isinstance(part, (ast.Div, ast.FloorDiv, ast.Mod)) for part in parts)
    return not divides and all(isinstance(part, _PLAIN) for part in parts)

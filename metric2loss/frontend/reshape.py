"""Turns inner functions, lambdas with a name, `while` loops and `x.sort()` into forms that can be factored, at equal meaning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import libcst as cst

from metric2loss.frontend.composed import Calling, Unique, written_out
from metric2loss.frontend.resolve import Function, Metric, Program, bound_names, target_names
from metric2loss.source import Renewing


def reshape(program: Program, metric: Metric, nodes: Iterable[cst.CSTNode]) -> tuple[Program, Metric] | None:
    """The program with the first of the `nodes` that can be rewritten; None when there is none.

    An inner function moves to the top level and is given what it used of the function around it; a `while` loop becomes
    a `for` over its turns that is left when the condition fails; `x.sort(…)` becomes `x = sorted(x, …)`.
    """
    for node in nodes:
        found = _owner(program, metric, node)
        changed = None if found is None else _changed(program, found, node)
        if changed is not None:
            program, function = changed
            again = replace(metric, function=function) if function.name == metric.function.name else metric
            return program, again
    return None


def _owner(program: Program, metric: Metric, node: cst.CSTNode) -> Function | None:
    functions = {**program.functions, metric.function.name: metric.function}
    return next((f for f in functions.values() if any(n is node for n in _every(f.node)) and f.node is not node), None)


def _every(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    yield node
    for child in node.children:
        yield from _every(child)


def _changed(program: Program, owner: Function, node: cst.CSTNode) -> tuple[Program, Function] | None:
    if isinstance(node, cst.While):
        return (
            None
            if node.orelse is not None
            else _visited(program, owner, _Turns(node, _fresh(owner.node, "turn"), program.steps))
        )
    if isinstance(node, cst.Call):
        unique = Unique.read(program, node)
        if unique is not None:
            added = written_out(program, unique, lambda name: _fresh(program.source.tree, name))
            return _joined(program, owner, node, added, Calling(node, added.name, unique.operand))
        return _visited(program, owner, _Sorted(node)) if _has_key(node) else None
    lifted = _lifted(program, owner, node)
    if lifted is None:
        return None
    return _joined(program, owner, node, Function(lifted.name, lifted.definition), lifted.transformer)


def _joined(
    program: Program, owner: Function, node: cst.CSTNode, added: Function, transformer: Renewing
) -> tuple[Program, Function] | None:
    """The program with one function more, which stands where the node stood."""
    found = _visited(program, owner, transformer)
    if found is None:
        return None
    program, function = found
    positions = dict(program.source.positions)
    for new in _every(added.node):
        positions.setdefault(new, positions[node])
    return replace(
        program,
        source=replace(program.source, positions=positions),
        functions={**program.functions, added.name: added},
        definitions={**program.definitions, added.name: added.node},
    ), function


def _visited(program: Program, owner: Function, transformer: Renewing) -> tuple[Program, Function] | None:
    node = owner.node.visit(transformer)
    if not isinstance(node, cst.FunctionDef):
        return None
    function = Function(owner.name, node)
    source = replace(program.source, positions=transformer.positions(program.source.positions))
    functions = {**program.functions, function.name: function}
    definitions = {**program.definitions, function.name: node}
    return replace(program, source=source, functions=functions, definitions=definitions), function


def _fresh(node: cst.CSTNode, name: str) -> str:
    taken = {n.value for n in _every(node) if isinstance(n, cst.Name)}
    return next(n for n in (name, *(f"{name}{k}" for k in range(2, 99))) if n not in taken)


def _has_key(node: cst.Call) -> bool:
    named = {a.keyword.value for a in node.args if a.keyword is not None}
    receiver = node.func.value if isinstance(node.func, cst.Attribute) else None
    return isinstance(receiver, cst.Name) and bool(named & {"key", "reverse"}) and named <= {"key", "reverse"}


class _Turns(Renewing):
    """`while test: …` → `for turn in steps.turns(): if not (test): break; …`."""

    def __init__(self, node: cst.While, name: str, steps: str) -> None:
        super().__init__()
        self.node, self.name, self.steps = node, name, steps

    def leave_While(self, original_node: cst.While, updated_node: cst.While) -> cst.BaseStatement:
        if original_node is not self.node:
            return updated_node
        test = updated_node.test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        stop = cst.SimpleStatementLine([cst.Break()])
        leave = cst.If(cst.UnaryOperation(cst.Not(), test), cst.IndentedBlock([stop]))
        block = updated_node.body
        assert isinstance(block, cst.IndentedBlock)
        body = block.with_changes(body=[leave, *block.body])
        turns = cst.Call(cst.Attribute(cst.Name(self.steps), cst.Name("turns")))
        for new in (leave, stop, stop.body[0], turns):
            self.renewed[new] = original_node
        return cst.For(cst.Name(self.name), turns, body, leading_lines=updated_node.leading_lines)


class _Sorted(Renewing):
    """`pairs.sort(key=…)` → `pairs = sorted(pairs, key=…)`."""

    def __init__(self, node: cst.Call) -> None:
        super().__init__()
        self.node = node

    def leave_Expr(self, original_node: cst.Expr, updated_node: cst.Expr) -> cst.BaseSmallStatement:
        if original_node.value is not self.node:
            return updated_node
        assert isinstance(self.node.func, cst.Attribute) and isinstance(self.node.func.value, cst.Name)
        name = self.node.func.value
        call = cst.Call(cst.Name("sorted"), [cst.Arg(cst.Name(name.value)), *self.node.args])
        self.renewed[call] = self.node
        return cst.Assign([cst.AssignTarget(name)], call)


@dataclass(frozen=True)
class _Lifted:
    name: str
    definition: cst.FunctionDef
    transformer: Renewing


def _lifted(program: Program, owner: Function, node: cst.CSTNode) -> _Lifted | None:
    """An inner function or named lambda as a function of the top level, with the names it used as keyword parameters."""
    inside = _as_function(owner.node, node)
    if inside is None or inside.params.star_kwarg or isinstance(inside.params.star_arg, cst.Param) or inside.decorators:
        return None
    name = inside.name.value
    loads = [n for n in _every(owner.node) if isinstance(n, cst.Name) and n.value == name]
    calls = [n for n in _every(owner.node) if isinstance(n, cst.Call) and isinstance(n.func, cst.Name)]
    callees = {id(c.func) for c in calls if c.func.value == name}  # type: ignore[attr-defined]
    if len(loads) != len(callees) + 1 or any(
        isinstance(n, (cst.Nonlocal, cst.Global, cst.Yield)) for n in _every(inside)
    ):
        return None  # defined twice, or handed on as a value
    if any(isinstance(c.func, cst.Name) and c.func.value == name for c in _every(inside) if isinstance(c, cst.Call)):
        return None
    new = _fresh(program.source.tree, name) if name in program.functions else name
    free = _free(owner.node, inside)
    added = [cst.Param(cst.Name(f), star="") for f in free]
    params = inside.params.with_changes(
        star_arg=cst.ParamStar() if added else inside.params.star_arg,
        kwonly_params=[*inside.params.kwonly_params, *added],
    )
    definition = inside.with_changes(name=cst.Name(new), params=params, leading_lines=[], returns=None)
    return _Lifted(new, definition, _Lift(node, name, new, free))


def _as_function(owner: cst.CSTNode, node: cst.CSTNode) -> cst.FunctionDef | None:
    if isinstance(node, cst.FunctionDef):
        return node
    for around in _every(owner):
        if isinstance(around, cst.Assign) and around.value is node and isinstance(node, cst.Lambda):
            target = around.targets[0].target
            if len(around.targets) == 1 and isinstance(target, cst.Name):
                line = cst.SimpleStatementLine([cst.Return(node.body)])
                return cst.FunctionDef(cst.Name(target.value), node.params, cst.IndentedBlock([line]))
    return None


def _free(owner: cst.FunctionDef, inside: cst.FunctionDef) -> tuple[str, ...]:
    """The names of the function around that the inner one uses."""
    around = _bound_in(owner, inside) | set(Function("", owner).parameters) | set(Function("", owner).variadic)
    own = _bound_in(inside, None) | set(Function("", inside).parameters)
    used = _mentioned(inside.body)
    return tuple(sorted(used & around - own))


def _bound_in(function: cst.FunctionDef, without: cst.CSTNode | None) -> set[str]:
    found: set[str] = set()
    stack: list[cst.CSTNode] = list(function.body.children)
    while stack:
        node = stack.pop()
        if node is without or (isinstance(node, cst.FunctionDef) and without is not None and node.name is without):
            continue
        if isinstance(node, (cst.SimpleStatementLine, cst.FunctionDef, cst.ClassDef)):
            found |= set(bound_names(node))
        if isinstance(node, (cst.For, cst.CompFor)):
            found |= set(target_names(node.target))
        if isinstance(node, (cst.NamedExpr,)):
            found |= set(target_names(node.target))
        if isinstance(node, cst.AsName):
            found |= set(target_names(node.name))
        if not isinstance(node, (cst.FunctionDef, cst.Lambda)):
            stack.extend(node.children)
    return found


def _mentioned(node: cst.CSTNode) -> set[str]:
    """Names that are read, without attributes and keywords."""
    found: set[str] = set()
    stack: list[cst.CSTNode] = [node]
    while stack:
        at = stack.pop()
        if isinstance(at, cst.Name):
            found.add(at.value)
        elif isinstance(at, (cst.Attribute, cst.Arg)):
            stack.append(at.value)
        else:
            stack.extend(at.children)
    return found


class _Lift(Renewing):
    """Takes the definition out and gives every call the names the function used."""

    def __init__(self, node: cst.CSTNode, name: str, new: str, free: tuple[str, ...]) -> None:
        super().__init__()
        self.node, self.name, self.new, self.free = node, name, new, free

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.BaseStatement | cst.RemovalSentinel:
        return cst.RemoveFromParent() if original_node is self.node else updated_node

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.BaseStatement | cst.RemovalSentinel:
        small = original_node.body[0]
        return cst.RemoveFromParent() if isinstance(small, cst.Assign) and small.value is self.node else updated_node

    def leave_IndentedBlock(
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        if updated_node.body:
            return updated_node
        return updated_node.with_changes(body=[cst.SimpleStatementLine([cst.Pass()])])

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        if not isinstance(original_node.func, cst.Name) or original_node.func.value != self.name:
            return updated_node
        equal = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
        given = [cst.Arg(cst.Name(f), keyword=cst.Name(f), equal=equal) for f in self.free]
        args = [a.with_changes(comma=cst.MaybeSentinel.DEFAULT) for a in updated_node.args]
        return updated_node.with_changes(func=cst.Name(self.new), args=[*args, *given])

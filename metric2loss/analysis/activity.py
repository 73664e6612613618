"""Turns a function and the levels of its arguments into FunctionFacts: activity, definitions and steps, to a fixpoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import libcst as cst

from metric2loss.analysis.aliases import MUTATING
from metric2loss.analysis.branches import COMPOUND, Branches
from metric2loss.analysis.expressions import Context, Env, Expressions, Recorder
from metric2loss.analysis.facts import (
    ENTRY,
    FunctionFacts,
    Level,
    Loop,
    Site,
    Statement,
    Value,
    at_least,
    join,
    small_of,
    top,
)
from metric2loss.analysis.flow import Flow, names_inside, part_of_pair, reads_of_target, written
from metric2loss.frontend.resolve import Function, Program

_Block = cst.BaseSuite


def analyse(program: Program, function: Function, arguments: tuple[Value, ...]) -> FunctionFacts:
    """Program ─analyse→ facts of one function; own functions it calls with scores are analysed with it."""
    return _Analysis(program).function(function, arguments)


class _Analysis:
    """Facts of own functions by the levels they are called with; one entry per combination."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.known: dict[tuple[str, tuple[Value, ...]], FunctionFacts] = {}

    def function(self, function: Function, arguments: tuple[Value, ...]) -> FunctionFacts:
        key = (function.name, arguments)
        if key not in self.known:
            self.known[key] = _empty(function, arguments)  # what a recursive call sees
            self.known[key] = _Interpreter(self.program, function, arguments, self.function).run()
        return self.known[key]


def _empty(function: Function, arguments: tuple[Value, ...]) -> FunctionFacts:
    return FunctionFacts(function, arguments, (), {}, {}, {}, {}, (), {}, (), Level.DISCRETE, (), {}, {}, ())


class _Interpreter(Branches):
    """Abstract interpretation of one function: three levels, weak and strong definitions, structured control flow."""

    def __init__(
        self,
        program: Program,
        function: Function,
        arguments: tuple[Value, ...],
        call: Callable[[Function, tuple[Value, ...]], FunctionFacts],
    ) -> None:
        self.program, self.function, self.arguments = program, function, arguments
        self.recorder = Recorder()
        self.expressions = Expressions(program, self.recorder, call, function)
        self.numbers: dict[cst.CSTNode, int] = {}
        self.statements: dict[int, Statement] = {}
        self.before: dict[int, dict[str, frozenset[int]]] = {}
        self.defines: dict[int, frozenset[str]] = {}
        self.returns: dict[int, Value] = {}

    def run(self) -> FunctionFacts:
        values = dict(zip(self.function.parameters, self.arguments))
        env: Env = {name: (value, frozenset({ENTRY})) for name, value in values.items()}
        env.update({name: (Level.PASSIVE, frozenset({ENTRY})) for name in self.function.variadic})
        self.block(self.function.node.body, Flow(env), ENTRY, (), (), ())
        result: Value = Level.PASSIVE
        for place, value in enumerate(self.returns.values()):
            result = value if place == 0 else join(result, value)
        recorder = self.recorder
        held = [s for s in recorder.sites.values() if s.pair and not self.unpacks(s)]
        names = {alias: name for site in held for alias, name in self.held(site).items()}
        unread = [s for s in held if s.node not in {site.node for site in held if self.held(site)}]
        kept = [s for s in recorder.sites.values() if s not in unread]
        sites = tuple(replace(s, pair=False) if s in held else s for s in kept)
        for number, changed in recorder.defines.items():
            self.define(number, *changed)
        return FunctionFacts(
            self.function,
            self.arguments,
            tuple(self.statements[k] for k in sorted(self.statements)),
            recorder.levels,
            recorder.reach,
            self.before,
            self.defines,
            tuple(sorted(sites, key=self.place)),
            recorder.calls,
            tuple(sorted(self.returns)),
            result,
            tuple(recorder.problems.values()),
            names,
            self.written_parameters(),
            tuple(recorder.unshaped),
        )

    def written_parameters(self) -> dict[str, Level]:
        """The parameters that are written to in place."""
        shared = self.expressions.aliases
        found: dict[str, Level] = {}
        for name, level in self.recorder.writes.items():
            for parameter in self.function.parameters:
                if parameter in shared.get(name, {name}):
                    found[parameter] = max(level, found.get(parameter, level))
        return found

    def held(self, site: Site) -> dict[cst.CSTNode, cst.Name]:
        """`found = x.topk(2)`: every `found.indices` or `found[1]`; a use of anything else is refused."""
        small = small_of(self.statements[site.statement].node)
        whole = isinstance(small, cst.Assign) and small.value is site.node and len(small.targets) == 1
        target = small.targets[0].target if whole and isinstance(small, cst.Assign) else None
        if not isinstance(target, cst.Name):
            self.together(site)
            return {}
        loads = [n for n, seen in self.recorder.reach.items() if site.statement in seen and isinstance(n, cst.Name)]
        loads = [n for n in loads if n.value == target.value]
        parts = {load: part_of_pair(self.function.node, load) for load in loads}
        if any(part is None for part in parts.values()) or len({p[1] for p in parts.values() if p}) > 1:
            self.together(site)
        return {part[0]: target for part in parts.values() if part is not None and part[1] == 1}

    def together(self, site: Site) -> None:
        self.expressions.problem(
            "M2L203",
            site.node,
            "values and indices are kept in one variable",
            "The values stay differentiable, the indices come from a step: they part here.",
            "Unpack the call: `values, indices = ...`.",
        )

    def place(self, site: Site) -> tuple[int, int, int, int]:
        at = self.program.source.positions[site.node].start
        return (site.statement, at.line, at.column, site.part)

    def unpacks(self, site: Site) -> bool:
        """`values, indices = x.max(1)`: only then the call is known to return a pair."""
        node = self.statements[site.statement].node
        small = small_of(node)
        return (
            isinstance(small, cst.Assign)
            and small.value is site.node
            and isinstance(small.targets[0].target, cst.Tuple)
            and len(small.targets[0].target.elements) == 2
        )

    # --- statements ----------------------------------------------------------------------------------------------

    def block(
        self,
        suite: _Block,
        flow: Flow,
        parent: int,
        path: tuple[int, ...],
        control: tuple[int, ...],
        loops: tuple[Loop, ...],
    ) -> Flow:
        for node in suite.body:
            if not isinstance(node, cst.BaseStatement):  # `if x: y = 1` on one line
                node = self.numbers_line(suite, node)
            number = self.numbers.setdefault(node, len(self.numbers))
            everything = (*control, *flow.jumps)
            self.statements[number] = Statement(number, node, parent, path, everything, loops)
            self.before[number] = {
                k: d | self.before.get(number, {}).get(k, frozenset()) for k, (_, d) in flow.env.items()
            }
            flow = self.statement(node, number, flow, path, everything, loops)
        return flow

    def numbers_line(self, suite: _Block, node: cst.BaseSmallStatement) -> cst.BaseStatement:
        known = next((k for k in self.numbers if isinstance(k, cst.SimpleStatementLine) and node in k.body), None)
        return known or cst.SimpleStatementLine(body=[node])

    def statement(
        self,
        node: cst.BaseStatement,
        number: int,
        flow: Flow,
        path: tuple[int, ...],
        control: tuple[int, ...],
        loops: tuple[Loop, ...],
    ) -> Flow:
        flow = replace(flow, env=dict(flow.env))
        at = Context(number, loops, control=flow.control)
        compound = COMPOUND.get(type(node))
        if compound is not None:
            return compound(self, node, number, flow, path, (*control, number), loops)
        if isinstance(node, cst.SimpleStatementLine):
            for small in node.body:
                flow = self.small(small, number, flow, at)
            return flow
        if isinstance(node, (cst.FunctionDef, cst.ClassDef)):
            self.nested(node, number, flow, at)
        return flow

    def small(self, node: cst.BaseSmallStatement, number: int, flow: Flow, at: Context) -> Flow:
        env, control = flow.env, flow.control
        if isinstance(node, cst.Assign):
            value = at_least(self.value(node.value, env, at), control)
            for target in node.targets:
                self.assign(target.target, value, env, number, at)
            if isinstance(node.value, cst.Lambda) and isinstance(node.targets[0].target, cst.Name):
                self.recorder.nested[node.targets[0].target.value] = node.value
        elif isinstance(node, cst.AnnAssign) and node.value is not None:
            self.assign(node.target, at_least(self.value(node.value, env, at), control), env, number, at)
        elif isinstance(node, cst.AugAssign):
            value = max(top(self.value(node.target, env, at)), top(self.value(node.value, env, at)), control)
            shared = self.expressions.aliases.get(getattr(node.target, "value", ""), frozenset())
            if isinstance(node.target, cst.Name) and (len(shared & set(env)) > 1 or self.is_parameter(node.target)):
                self.expressions.weaken(node.target, value, env, number)  # arrays and lists are changed in place
            self.assign(node.target, value, env, number, at)
        elif isinstance(node, cst.Return):
            self.returns[number] = at_least(self.value(node.value, env, at), control) if node.value else Level.PASSIVE
            return replace(flow, jumps=(*flow.jumps, number))
        elif isinstance(node, (cst.Continue, cst.Break)):
            return replace(flow, jumps=(*flow.jumps, number))
        elif isinstance(node, cst.Expr):
            self.effects(node.value, env, number, at, control)
        elif isinstance(node, (cst.Import, cst.ImportFrom, cst.Global, cst.Nonlocal)):
            self.define(
                number,
                *[
                    n.evaluated_alias or n.evaluated_name
                    for n in getattr(node, "names", ())
                    if isinstance(n, cst.ImportAlias)
                ],
            )
            for name in self.defines.get(number, ()):
                env[name] = (Level.PASSIVE, frozenset({number}))
        else:
            self.value(node, env, at)
        return flow

    def value(self, node: cst.CSTNode, env: Env, at: Context) -> Value:
        return self.expressions.value(node, env, at)

    def assign(self, target: cst.BaseExpression, value: Value, env: Env, number: int, at: Context) -> None:
        read = [top(self.value(inner, env, at)) for inner in reads_of_target(target)]
        written_at = max(read, default=Level.PASSIVE)  # `ranks[order] = …`: where it is written matters as well
        self.expressions.bind(target, at_least(value, min(written_at, Level.DISCRETE)), env, number)
        self.define(number, *written(target))

    def is_parameter(self, name: cst.Name) -> bool:
        return name.value in self.function.parameters

    def define(self, number: int, *names: str) -> None:
        self.defines[number] = self.defines.get(number, frozenset()) | set(names)

    def effects(self, node: cst.BaseExpression, env: Env, number: int, at: Context, control: Level) -> None:
        """A bare call may write to every name it is given (`np.add.at(cm, …)`, `values.append(x)`)."""
        level = max(top(self.value(node, env, at)), control)
        if not isinstance(node, cst.Call):
            return
        if self.sorts_in_place(node):
            return
        if isinstance(node.func, cst.Name) and node.func.value in self.program.functions and node.func.value not in env:
            return  # what own functions write to is known
        arguments = [a.value for a in node.args]
        received = (
            [node.func.value]
            if isinstance(node.func, cst.Attribute) and self.expressions.qualified(node.func, env) is None
            else []
        )
        stores = bool(received) and isinstance(node.func, cst.Attribute) and node.func.attr.value in MUTATING
        for target in (*received, *(() if stores else arguments)):
            for name in written(target):
                if name in env and (
                    target in received or not isinstance(target, cst.Name) or self.may_write(node, env)
                ):
                    self.expressions.weaken(
                        target,
                        max(level, *(top(self.recorder.levels.get(a, Level.PASSIVE)) for a in arguments))
                        if arguments
                        else level,
                        env,
                        number,
                    )
                    self.define(number, name)

    def sorts_in_place(self, node: cst.Call) -> bool:
        """`pairs.sort(key=…)` becomes `pairs = sorted(pairs, key=…)`; in-place sorting of an array is refused."""
        if not isinstance(node.func, cst.Attribute) or node.func.attr.value != "sort":
            return False
        if top(self.recorder.levels.get(node.func.value, Level.PASSIVE)) is not Level.ACTIVE:
            return False
        self.recorder.unshaped[node] = None
        self.recorder.sites = {k: s for k, s in self.recorder.sites.items() if s.node is not node}
        self.expressions.problem(
            "M2L203",
            node,
            "scores are sorted in place",
            "The order they had before is lost for the steps that come later.",
            "Keep the sorted ones under a name: `ranked = sorted(...)` or `np.sort(...)`.",
        )
        return True

    def may_write(self, node: cst.Call, env: Env) -> bool:
        return self.expressions.qualified(node.func, env) not in ("print", "len")

    def nested(self, node: cst.FunctionDef | cst.ClassDef, number: int, flow: Flow, at: Context) -> None:
        """A nested definition is a value; with a score inside it has to move out before it can be read."""
        level = Level.PASSIVE
        for inner in names_inside(node):
            level = max(level, top(self.value(inner, flow.env, at)))
        flow.env[node.name.value] = (level, frozenset({number}))
        self.define(number, node.name.value)
        if isinstance(node, cst.FunctionDef):
            self.recorder.nested[node.name.value] = node
        if level is Level.ACTIVE:
            self.recorder.unshaped[node] = None
            self.expressions.problem(
                "M2L203",
                node.name,
                f"`{node.name.value}` is a nested definition that uses a score",
                "Which steps it runs depends on where it is called.",
                "Move it to the top level of the file and pass the score as an argument.",
            )

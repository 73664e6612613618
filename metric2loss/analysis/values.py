"""Turns names, operators, conditions and comprehensions into the level of their value, and notes the steps they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import libcst as cst

from metric2loss.analysis import tables
from metric2loss.analysis.aliases import aliases
from metric2loss.analysis.facts import Each, FunctionFacts, Keyed, Level, Loop, Site, Value, at_least, join, top, walk
from metric2loss.diagnostics import Diagnostic
from metric2loss.frontend.resolve import Function, Program, target_names

Env = dict[str, tuple[Value, frozenset[int]]]
"""What each name may hold, and the statements whose definition it may see."""

OPERATORS: Mapping[type[cst.CSTNode], str] = {
    cst.GreaterThan: ">", cst.GreaterThanEqual: ">=", cst.LessThan: "<", cst.LessThanEqual: "<=",
    cst.Equal: "==", cst.NotEqual: "!=",
}  # fmt: skip


Calls = Callable[[Function, tuple[Value, ...]], FunctionFacts]
"""Analyses a call of an own function with arguments of the given levels."""


@dataclass
class Recorder:
    """What one pass over a function finds; written here, frozen into FunctionFacts when the pass is over."""

    levels: dict[cst.CSTNode, Value] = field(default_factory=dict)
    reach: dict[cst.CSTNode, frozenset[int]] = field(default_factory=dict)
    sites: dict[tuple[cst.CSTNode, int], Site] = field(default_factory=dict)
    calls: dict[cst.CSTNode, FunctionFacts] = field(default_factory=dict)
    problems: dict[tuple[cst.CSTNode, str], Diagnostic] = field(default_factory=dict)
    unshaped: dict[cst.CSTNode, None] = field(default_factory=dict)
    defines: dict[int, set[str]] = field(default_factory=dict)  # names that a statement writes to in place
    writes: dict[str, Level] = field(default_factory=dict)
    nested: dict[str, cst.CSTNode] = field(default_factory=dict)  # functions defined inside, lambdas with a name


@dataclass(frozen=True)
class Context:
    """Where an expression stands: its statement, the loops around it, the conditions on its evaluation."""

    statement: int
    loops: tuple[Loop, ...] = ()
    guards: tuple[tuple[cst.BaseExpression, bool], ...] = ()
    control: Level = Level.PASSIVE  # whether a step decides if the statement runs
    inside: cst.CSTNode | None = None  # the lambda it is a part of


class Values:
    """Levels of everything but calls; one instance serves one function."""

    def __init__(self, program: Program, recorder: Recorder, call: Calls, function: Function) -> None:
        self.program, self.recorder, self.call_own = program, recorder, call
        self.function, self.aliases = function, aliases(function.node)

    def value(self, node: cst.CSTNode | None, env: Env, at: Context) -> Value:
        """The level of `node`; notes it, the definitions its names see, and the step it may be."""
        if node is None:
            return Level.PASSIVE
        rule = _DISPATCH.get(type(node), Values._children)
        found = self.call(node, env, at) if isinstance(node, cst.Call) else rule(self, node, env, at)
        known = self.recorder.levels.get(node)
        self.recorder.levels[node] = found if known is None else join(known, found)
        return found

    def call(self, node: cst.Call, env: Env, at: Context) -> Value:
        raise NotImplementedError

    def problem(self, code: str, node: cst.CSTNode, message: str, why: str, hint: str) -> None:
        self.recorder.problems[node, code] = self.program.source.diagnostic(code, node, message, why, hint)

    # --- names and structure -------------------------------------------------------------------------------------

    def _children(self, node: cst.CSTNode, env: Env, at: Context) -> Value:
        return max((top(self.value(c, env, at)) for c in node.children), default=Level.PASSIVE)

    def _name(self, node: cst.Name, env: Env, at: Context) -> Value:
        value, definitions = env.get(node.value, (Level.PASSIVE, frozenset()))
        self.recorder.reach[node] = self.recorder.reach.get(node, frozenset()) | definitions
        return value

    def _attribute(self, node: cst.Attribute, env: Env, at: Context) -> Value:
        base = self.value(node.value, env, at)
        if node.attr.value in tables.PASSIVE_ATTRIBUTES:
            return Level.PASSIVE
        if (
            isinstance(base, tuple)
            and not isinstance(base, (Each, Keyed))
            and node.attr.value in ("values", "indices")
            and len(base) == 2
        ):
            return self._part_of_pair(node, node.value, base, ("values", "indices").index(node.attr.value), at)
        return top(base)

    def _subscript(self, node: cst.Subscript, env: Env, at: Context) -> Value:
        base = self.value(node.value, env, at)
        index = [self.value(part, env, at) for part in node.slice]
        number = _constant_index(node)
        if isinstance(base, Keyed):
            level = max(map(top, index), default=Level.PASSIVE)
            return at_least(base[1], min(level, Level.DISCRETE))
        if isinstance(base, Each):
            return base if len(node.slice) == 1 and isinstance(node.slice[0].slice, cst.Slice) else tuple(base)
        if isinstance(base, tuple) and number is not None and -len(base) <= number < len(base):
            return self._part_of_pair(node, node.value, base, number % len(base), at)
        level = max([top(base), *map(top, index)])
        if any(top(i) is Level.ACTIVE for i in index):
            self.problem(
                "M2L302",
                node,
                "a score is used as an index",
                "An index has to be a whole number; a score is a real one.",
                "Turn it into an integer by a step first (argmax, round, a comparison).",
            )
        return level

    def _part_of_pair(
        self, node: cst.BaseExpression, call: cst.CSTNode, base: tuple[Value, ...], part: int, at: Context
    ) -> Value:
        """`x.max(1)[1]`: the step is the whole expression, so that g holds only its result."""
        site = self.recorder.sites.get((call, 0))
        if site is not None and site.pair:
            if part == 1:
                self.recorder.sites[call, 0] = replace(site, node=node, pair=False)
            else:
                del self.recorder.sites[call, 0]
        else:
            known = [k for k, s in self.recorder.sites.items() if s.node is node and k[0] is call]
            assert not known or part == 1
        return base[part]

    def _tuple(self, node: cst.Tuple, env: Env, at: Context) -> Value:
        if any(isinstance(e, cst.StarredElement) for e in node.elements):
            return self._children(node, env, at)
        return tuple(self.value(e.value, env, at) for e in node.elements)

    def _lambda(self, node: cst.Lambda, env: Env, at: Context) -> Value:
        inner = dict(env)
        for parameter in (*node.params.posonly_params, *node.params.params, *node.params.kwonly_params):
            inner[parameter.name.value] = (Level.PASSIVE, frozenset())
        return top(self.value(node.body, inner, replace(at, inside=node)))

    def _named(self, node: cst.NamedExpr, env: Env, at: Context) -> Value:
        value = self.value(node.value, env, at)
        for name in target_names(node.target):
            env[name] = (value, frozenset({at.statement}))
            self.recorder.defines.setdefault(at.statement, set()).add(name)
        return value

    # --- conditions ----------------------------------------------------------------------------------------------

    def _if(self, node: cst.IfExp, env: Env, at: Context) -> Value:
        test = self.value(node.test, env, at)
        then = self.value(node.body, env, replace(at, guards=(*at.guards, (node.test, True))))
        otherwise = self.value(node.orelse, env, replace(at, guards=(*at.guards, (node.test, False))))
        return at_least(join(then, otherwise), min(top(test), Level.DISCRETE))

    def _boolean(self, node: cst.BooleanOperation, env: Env, at: Context) -> Value:
        left = self.value(node.left, env, at)
        holds = isinstance(node.operator, cst.And)
        right = self.value(node.right, env, replace(at, guards=(*at.guards, (node.left, holds))))
        return join(left, right)

    def _comparison(self, node: cst.Comparison, env: Env, at: Context) -> Value:
        left, left_value = node.left, self.value(node.left, env, at)
        result: Value = Level.PASSIVE
        for part, target in enumerate(node.comparisons):
            value = self.value(target.comparator, env, at)
            level = max(top(left_value), top(value))
            op = OPERATORS.get(type(target.operator))
            if level is Level.ACTIVE and op is not None:
                self.note(
                    Site("compare", "compare", node, (left, target.comparator), at.statement, op=op, part=part), at
                )
                level = Level.DISCRETE
            elif level is Level.ACTIVE and isinstance(target.operator, (cst.In, cst.NotIn)):
                self.problem(
                    "M2L301",
                    node,
                    "no rule for `in` on a score",
                    "Membership compares a real number for equality with every element.",
                    "Compare with `==`, or look up the index of a step (argmax, argsort) instead.",
                )
            elif isinstance(target.operator, (cst.Is, cst.IsNot)):
                level = Level.PASSIVE
            result = max(top(result), level)
            left, left_value = target.comparator, value
        return result

    def _binary(self, node: cst.BinaryOperation, env: Env, at: Context) -> Value:
        level = max(top(self.value(node.left, env, at)), top(self.value(node.right, env, at)))
        if level is Level.ACTIVE and isinstance(node.operator, cst.FloorDivide):
            self.note(Site("rounding", "floor_divide", node, (node.left, node.right), at.statement), at)
            return Level.DISCRETE
        if level is Level.ACTIVE and isinstance(node.operator, (cst.Modulo, cst.BitAnd, cst.BitOr, cst.BitXor)):
            self.problem(
                "M2L301",
                node,
                f"no rule for `{self.program.source.code(node)}` with a score in it",
                "The remainder and the bits of a real score jump without a comparison that could be seen.",
                "Round or compare the score first.",
            )
        return level

    # --- comprehensions ------------------------------------------------------------------------------------------

    def _comprehension(self, node: cst.BaseComp, env: Env, at: Context) -> Value:
        inner, level = dict(env), Level.PASSIVE
        clause: cst.CompFor | None = node.for_in
        while clause is not None:
            values = self.value(clause.iter, inner, at)
            self.bind(clause.target, element(values), inner, None)
            at = replace(at, loops=(*at.loops, Loop(clause, at.statement)))
            level = max(level, min(top(values), Level.DISCRETE))
            for test in clause.ifs:
                level = max(level, min(top(self.value(test.test, inner, at)), Level.DISCRETE))
                at = replace(at, guards=(*at.guards, (test.test, True)))
            clause = clause.inner_for_in
        parts = (node.key, node.value) if isinstance(node, cst.DictComp) else (node.elt,)  # type: ignore[attr-defined]
        found = [self.value(part, inner, at) for part in parts]
        env.update({n: inner[n] for n in _walrus(node) if n in inner})
        first = found[0]
        if isinstance(node, cst.DictComp):
            return at_least(Keyed(found), level)
        if len(found) == 1 and isinstance(first, tuple) and not isinstance(first, Each):
            return at_least(Each(first), level)
        return max([level, *map(top, found)])

    def _dict(self, node: cst.Dict, env: Env, at: Context) -> Value:
        found: Value = Keyed((Level.PASSIVE, Level.PASSIVE))
        for element_ in node.elements:
            value = self.value(element_.value, env, at)
            if isinstance(element_, cst.DictElement):
                value = Keyed((self.value(element_.key, env, at), value))
            found = join(found, value)
        return found

    def bind(self, target: cst.CSTNode, value: Value, env: Env, statement: int | None) -> None:
        """Strong definitions for plain names, weak ones for subscripts and attributes; None: a comprehension's own name."""
        if isinstance(target, cst.Name):
            env[target.value] = (value, frozenset() if statement is None else frozenset({statement}))
            self.recorder.levels[target] = join(self.recorder.levels.get(target, Level.PASSIVE), value)
        elif isinstance(target, (cst.Tuple, cst.List)):
            parts = value if isinstance(value, tuple) and len(value) == len(target.elements) else None
            for place, element_ in enumerate(target.elements):
                self.bind(element_.value, parts[place] if parts else top(value), env, statement)
        elif isinstance(target, cst.StarredElement):
            self.bind(target.value, top(value), env, statement)
        elif statement is not None:
            self.weaken(target, top(value), env, statement)

    def weaken(self, target: cst.CSTNode, level: Level, env: Env, statement: int) -> None:
        """`x[i] = …`, `x.append(…)`: the old definitions of x, and of all that may share its memory, stay visible."""
        keys = _constant_keys(target)
        while isinstance(target, (cst.Subscript, cst.Attribute, cst.Call)):
            target = target.func if isinstance(target, cst.Call) else target.value
        if not isinstance(target, cst.Name):
            return
        for name in sorted(self.aliases.get(target.value, frozenset()) | {target.value}):
            if name not in env and name != target.value:
                continue
            value, definitions = env.get(name, (Level.PASSIVE, frozenset()))
            if isinstance(value, Keyed) and keys is not None:
                key = max((top(self.recorder.levels.get(k, Level.PASSIVE)) for k in keys), default=Level.PASSIVE)
                changed: Value = Keyed((join(value[0], key), join(value[1], level)))
            elif isinstance(value, Keyed) and name != target.value:
                changed = Keyed((value[0], join(value[1], level)))
            else:
                changed = join(value, level)
            env[name] = (changed, definitions | {statement})
            self.recorder.defines.setdefault(statement, set()).add(name)
            self.recorder.writes[name] = max(self.recorder.writes.get(name, Level.PASSIVE), level)

    def note(self, site: Site, at: Context) -> None:
        if at.inside is not None:
            self.recorder.unshaped[at.inside] = None
            self.problem(
                "M2L203",
                site.node,
                "a step inside a `lambda`",
                "How often it runs is up to whoever calls it.",
                "Define a function at the top level of the file, or write a comprehension.",
            )
        key = (site.node, site.part)
        known = self.recorder.sites.get(key)
        if known is not None and known.node is not site.node:
            site = replace(site, node=known.node, pair=False)
        self.recorder.sites[key] = replace(site, guards=at.guards, loops=at.loops)


def _walrus(node: cst.CSTNode) -> Iterator[str]:
    for inner in walk(node):
        if isinstance(inner, cst.NamedExpr):
            yield from target_names(inner.target)


def _constant_keys(target: cst.CSTNode) -> tuple[cst.CSTNode, ...] | None:
    """The keys of `d[k] = …`; None when it is not an entry of a plain name that is written."""
    if isinstance(target, cst.Subscript) and isinstance(target.value, cst.Name):
        return tuple(target.slice)
    if (
        isinstance(target, cst.Call)
        and isinstance(target.func, cst.Attribute)
        and isinstance(target.func.value, cst.Name)
    ):
        return (target.args[0].value,) if target.func.attr.value == "setdefault" and target.args else None
    return None


def element(value: Value) -> Value:
    """The level of one element of an iterable; `enumerate` and `zip` keep their counters and columns apart."""
    if isinstance(value, Keyed):
        return value[0]
    return tuple(value) if isinstance(value, Each) else top(value)


def _constant_index(node: cst.Subscript) -> int | None:
    if len(node.slice) != 1 or not isinstance(node.slice[0].slice, cst.Index):
        return None
    value = node.slice[0].slice.value
    negative = isinstance(value, cst.UnaryOperation) and isinstance(value.operator, cst.Minus)
    number = value.expression if isinstance(value, cst.UnaryOperation) and negative else value
    if not isinstance(number, cst.Integer):
        return None
    return -int(number.value, 0) if negative else int(number.value, 0)


def _passive(self: Values, node: cst.CSTNode, env: Env, at: Context) -> Value:
    self._children(node, env, at)
    return Level.PASSIVE


_DISPATCH: Mapping[type[cst.CSTNode], Callable[..., Value]] = {
    cst.Name: Values._name, cst.Attribute: Values._attribute, cst.Subscript: Values._subscript,
    cst.Tuple: Values._tuple, cst.Dict: Values._dict, cst.Lambda: Values._lambda, cst.NamedExpr: Values._named,
    cst.IfExp: Values._if, cst.BooleanOperation: Values._boolean, cst.Comparison: Values._comparison,
    cst.BinaryOperation: Values._binary, cst.ListComp: Values._comprehension,
    cst.GeneratorExp: Values._comprehension, cst.SetComp: Values._comprehension,
    cst.DictComp: Values._comprehension, cst.FormattedString: _passive,
}  # fmt: skip

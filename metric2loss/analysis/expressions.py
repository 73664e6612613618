"""Turns an expression and the levels of its names into the level of its value, and notes the steps it meets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import libcst as cst

from metric2loss import rules
from metric2loss.analysis import sequences, tables
from metric2loss.analysis.aliases import MUTATING, aliases
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


class Expressions:
    """Levels of expressions; one instance serves one function."""

    def __init__(self, program: Program, recorder: Recorder, call: Calls, function: Function) -> None:
        self.program, self.recorder, self.call_own = program, recorder, call
        self.aliases = aliases(function.node)

    def value(self, node: cst.CSTNode | None, env: Env, at: Context) -> Value:
        """The level of `node`; notes it, the definitions its names see, and the step it may be."""
        if node is None:
            return Level.PASSIVE
        rule = _DISPATCH.get(type(node), Expressions._children)
        found = rule(self, node, env, at)
        known = self.recorder.levels.get(node)
        self.recorder.levels[node] = found if known is None else join(known, found)
        return found

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
            else:
                changed = join(value, level)
            env[name] = (changed, definitions | {statement})
            self.recorder.defines.setdefault(statement, set()).add(name)
            self.recorder.writes[name] = max(self.recorder.writes.get(name, Level.PASSIVE), level)

    # --- calls ---------------------------------------------------------------------------------------------------

    def _call(self, node: cst.Call, env: Env, at: Context) -> Value:
        qualified = self.qualified(node.func, env)
        receiver = node.func.value if qualified is None and isinstance(node.func, cst.Attribute) else None
        base = self.value(receiver, env, at) if receiver is not None else Level.PASSIVE
        if receiver is None and qualified is None:
            self.value(node.func, env, at)
        arguments = [self.value(a.value, env, at) for a in node.args]
        level = max([top(base), *map(top, arguments)])
        self._in_place(node, receiver, arguments, level, env, at)
        if isinstance(base, Keyed) and isinstance(node.func, cst.Attribute) and node.func.attr.value in _OF_KEYED:
            return _of_keyed(node.func.attr.value, base, level)
        if qualified == "dict":
            return _as_keyed(arguments, level)
        if self._is_passive(qualified, node):
            return Level.PASSIVE
        if qualified in _SEQUENCES and node.args:
            return _sequence(qualified, arguments, level)
        if qualified in sequences.SELECTIONS and node.args and not any(a.star for a in node.args):
            found = sequences.selection(self, node, str(qualified), arguments, env, at)
            if found is not None:
                return found
        if level is not Level.ACTIVE:
            return level
        spelling = self._spelling(node, qualified, base)
        if spelling is not None:
            return self._step(node, spelling, receiver, env, at)
        if isinstance(node.func, cst.Name) and node.func.value in self.program.functions and node.func.value not in env:
            return self._own(node, self.program.functions[node.func.value], arguments, at)
        if isinstance(node.func, cst.Name) and node.func.value in self.recorder.nested:
            return self._nested(node, at)
        if top(base) is not Level.ACTIVE and receiver is not None and node.func.attr.value in tables.METHODS_IN_PLACE:  # type: ignore[attr-defined]
            return level
        if self._is_smooth(qualified, node, base):
            return level
        name = self.program.source.code(node.func)
        self.problem(
            "M2L301",
            node,
            f"no rule for `{name}` with a score in it",
            f"What `{name}` does with a real score cannot be read from this file.",
            "Write it with operations that have a rule (`metric2loss rules`), or pass it the result of a step.",
        )
        return Level.DISCRETE

    def _nested(self, node: cst.Call, at: Context) -> Value:
        """A call of an inner function with a score: the function has to move out first."""
        name = self.program.source.code(node.func)
        self.recorder.unshaped[self.recorder.nested[name]] = None
        self.problem(
            "M2L203",
            node,
            f"`{name}` is a nested definition that is given a score",
            "Which steps it runs depends on where it is called.",
            "Move it to the top level of the file and pass it everything it uses.",
        )
        return Level.DISCRETE

    def _in_place(
        self,
        node: cst.Call,
        receiver: cst.BaseExpression | None,
        arguments: Sequence[Value],
        level: Level,
        env: Env,
        at: Context,
    ) -> None:
        """Calls inside expressions that write: `queue.pop()`, `np.add(a, b, out=c)`, an own function that fills its argument."""
        written = max(level, at.control)
        if isinstance(node.func, cst.Attribute) and receiver is not None:
            name = node.func.attr.value
            if name in MUTATING or name.endswith("_") and not name.startswith("_"):
                self.weaken(receiver, written, env, at.statement)
        for arg in node.args:
            if arg.keyword is not None and arg.keyword.value == "out":
                self.weaken(arg.value, written, env, at.statement)
        if not isinstance(node.func, cst.Name):
            return
        if node.func.value in self.recorder.nested and node.func.value in env:
            self._written_by_nested(self.recorder.nested[node.func.value], written, env, at)
        elif node.func.value in self.program.functions and node.func.value not in env:
            self._written_by_own(node, self.program.functions[node.func.value], arguments, env, at)

    def _written_by_nested(self, definition: cst.CSTNode, level: Level, env: Env, at: Context) -> None:
        """An inner function sees its free names as they are at the call, and may write to them."""
        inside = [n for n in walk(definition) if isinstance(n, cst.Name) and n.value in env]
        seen = max([level, *(top(self.value(n, env, at)) for n in inside)])
        for name in sorted(written_inside(definition) & {n.value for n in inside}):
            self.weaken(cst.Name(name), seen, env, at.statement)

    def _written_by_own(
        self, node: cst.Call, function: Function, arguments: Sequence[Value], env: Env, at: Context
    ) -> None:
        bound = bind_arguments(function, node, arguments)
        if bound is None:
            return
        writes = self.call_own(function, bound).writes
        for place, arg in enumerate(node.args):
            name = arg.keyword.value if arg.keyword else (*function.positional, *("" for _ in node.args))[place]
            if name in writes:
                self.weaken(arg.value, max(writes[name], at.control), env, at.statement)

    def qualified(self, node: cst.BaseExpression, env: Env) -> str | None:
        """The qualified name of a callee: an import's, or the plain name of a builtin."""
        root = node
        while isinstance(root, cst.Attribute):
            root = root.value
        if isinstance(root, cst.Name) and root.value in env:
            return None
        if isinstance(node, cst.Name) and node.value not in self.program.imports:
            return None if node.value in self.program.functions else node.value
        return self.program.qualified(node)

    def _is_passive(self, qualified: str | None, node: cst.Call) -> bool:
        if qualified is not None:
            return qualified in tables.PASSIVE_CALLS
        return isinstance(node.func, cst.Attribute) and node.func.attr.value in tables.PASSIVE_METHODS

    def _is_smooth(self, qualified: str | None, node: cst.Call, base: Value) -> bool:
        if qualified is not None:
            return qualified in tables.SMOOTH_BUILTINS or qualified in tables.COERCIONS or tables.is_smooth(qualified)
        if not isinstance(node.func, cst.Attribute):
            return False
        name = node.func.attr.value
        return name in tables.COERCING_METHODS or tables.is_smooth_method(name)

    def _spelling(self, node: cst.Call, qualified: str | None, base: Value) -> rules.Spelling | None:
        if qualified in sequences.SELECTIONS:
            return None
        if qualified is not None:
            found = rules.SPELLINGS.get(qualified if "." in qualified else f"builtins.{qualified}")
        elif top(base) is Level.ACTIVE and isinstance(node.func, cst.Attribute):
            found = rules.SPELLINGS.get("." + node.func.attr.value)
        else:
            found = None
        return found if found is not None and _is_step(found, node.args, self.program) else None

    def _step(
        self, node: cst.Call, spelling: rules.Spelling, receiver: cst.BaseExpression | None, env: Env, at: Context
    ) -> Value:
        operands, rest = split_operands(node, spelling, receiver)
        levels = [top(self.value(o, env, at)) for o in operands]
        hidden = [a for a in rest if top(self.recorder.levels.get(a.value, Level.PASSIVE)) is Level.ACTIVE]
        if hidden or max(levels, default=Level.PASSIVE) is not Level.ACTIVE:
            self.problem(
                "M2L301",
                node,
                f"no rule for a score as a parameter of `{self.program.source.code(node.func)}`",
                "Only the compared or ordered operand may be a score.",
                "Compute this argument from the targets.",
            )
            return Level.DISCRETE
        if any(a.keyword is not None and a.keyword.value == "out" for a in node.args):
            self.problem(
                "M2L203",
                node,
                "a step that writes to `out=`",
                "Its result would have to be written in two places.",
                "Assign what the call returns.",
            )
        pair = spelling.index is not None
        op = spelling.operator
        self.note(Site(spelling.rule, spelling.using, node, operands, at.statement, rest=rest, op=op, pair=pair), at)
        return (Level.ACTIVE, Level.DISCRETE) if pair else Level.DISCRETE

    def _own(self, node: cst.Call, function: Function, arguments: Sequence[Value], at: Context) -> Value:
        bound = bind_arguments(function, node, arguments)
        if bound is None:
            self.problem(
                "M2L203",
                node,
                f"cannot see which argument of `{function.name}` is the score",
                "It is called with `*` or `**`, or with arguments that do not fit its signature.",
                "Name the arguments in the call.",
            )
            return Level.ACTIVE
        facts = self.call_own(function, bound)
        if not facts.statements:
            self.problem(
                "M2L203",
                node,
                f"`{function.name}` calls itself with a score",
                "How often its steps run is not known before it has run.",
                "Write the recursion as a loop.",
            )
            return Level.DISCRETE
        self.recorder.calls[node] = facts
        if facts.sites and (top(facts.result) is not Level.PASSIVE or facts.writes):
            self.note(
                Site("call", function.name, node, tuple(a.value for a in node.args), at.statement, callee=facts), at
            )
        return facts.result

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


def split_operands(
    node: cst.Call,
    spelling: rules.Spelling,
    receiver: cst.BaseExpression | None,
) -> tuple[tuple[cst.BaseExpression, ...], tuple[cst.Arg, ...]]:
    """The operands of a step, the active one first, and the arguments that are passed on verbatim."""
    positional = [] if receiver is None else [receiver]
    rest: list[cst.Arg] = []
    wanted = [spelling.operand] + ([] if spelling.right is None else [spelling.right])
    for arg in node.args:
        if arg.keyword is None and not arg.star and not rest and len(positional) <= max(wanted):
            positional.append(arg.value)
        else:
            rest.append(arg.with_changes(comma=cst.MaybeSentinel.DEFAULT))
    operands = [positional[place] for place in wanted if place < len(positional)]
    for place, name in ((1, "other"), (0, "input"), (0, "a")):
        named = [r for r in rest if r.keyword is not None and r.keyword.value == name]
        if named and len(operands) < len(wanted):
            operands.insert(place, named[0].value)
            rest.remove(named[0])
    if spelling.right_constant is not None:
        operands.append(cst.Float(repr(spelling.right_constant)))
    return tuple(operands), tuple(rest)


def bind_arguments(function: Function, node: cst.Call, arguments: Sequence[Value]) -> tuple[Value, ...] | None:
    """The level of each parameter of an own function at a call; None when the call cannot be read."""
    levels: dict[str, Value] = {name: Level.PASSIVE for name in function.parameters}
    for place, (arg, value) in enumerate(zip(node.args, arguments)):
        if arg.star:
            return None
        if arg.keyword is not None:
            if arg.keyword.value not in levels:
                return None
            levels[arg.keyword.value] = value
        elif place < len(function.positional):
            levels[function.positional[place]] = value
        else:
            return None
    return tuple(levels[name] for name in function.parameters)


def element(value: Value) -> Value:
    """The level of one element of an iterable; `enumerate` and `zip` keep their counters and columns apart."""
    if isinstance(value, Keyed):
        return value[0]
    return tuple(value) if isinstance(value, Each) else top(value)


def written_inside(definition: cst.CSTNode) -> frozenset[str]:
    """The names that an inner function may write to: in place, or declared `nonlocal`."""
    found: set[str] = set()
    for node in walk(definition):
        if isinstance(node, (cst.Nonlocal, cst.Global)):
            found |= {item.name.value for item in node.names if isinstance(item.name, cst.Name)}
        targets: list[cst.CSTNode] = [t.target for t in node.targets] if isinstance(node, cst.Assign) else []
        targets += [node.target] if isinstance(node, cst.AugAssign) else []
        if isinstance(node, cst.Expr) and isinstance(node.value, cst.Call):
            targets += [node.value.func, *(a.value for a in node.value.args)]
        elif isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value in MUTATING:
            targets.append(node.func)
        for target in targets:
            root: cst.CSTNode = target
            while isinstance(root, (cst.Subscript, cst.Attribute, cst.Call)):
                root = root.func if isinstance(root, cst.Call) else root.value
            if isinstance(root, cst.Name) and (root is not target or isinstance(node, (cst.AugAssign, cst.Expr))):
                found.add(root.value)
    return frozenset(found)


def _walrus(node: cst.CSTNode) -> Iterator[str]:
    for inner in walk(node):
        if isinstance(inner, cst.NamedExpr):
            yield from target_names(inner.target)


def _constant_keys(target: cst.CSTNode) -> tuple[cst.CSTNode, ...] | None:
    """The keys of `d[k] = …`; None when it is not an entry of a plain name that is written."""
    if isinstance(target, cst.Subscript) and isinstance(target.value, cst.Name):
        return tuple(target.slice)
    return None


_OF_KEYED = frozenset({"items", "values", "keys", "get", "pop", "setdefault", "copy"})


def _of_keyed(method: str, base: Keyed, level: Level) -> Value:
    """What the methods of a dictionary return, by the levels of its keys and values."""
    if method == "items":
        return Each(base)
    if method == "keys":
        return top(base[0])
    if method == "copy":
        return base
    value = base[1]
    if method == "values":
        return Each(value) if isinstance(value, tuple) and not isinstance(value, (Each, Keyed)) else top(value)
    return value if top(value) >= level else level


def _as_keyed(arguments: Sequence[Value], level: Level) -> Value:
    """`dict(pairs)`, `dict(zip(keys, values))`."""
    if not arguments:
        return Keyed((Level.PASSIVE, Level.PASSIVE))
    first = arguments[0]
    if isinstance(first, Keyed) or len(arguments) == 1 and isinstance(first, Each) and len(first) == 2:
        return Keyed(first)
    return Keyed((level, level))


_SEQUENCES = frozenset({"zip", "enumerate", "list", "tuple", "reversed", "iter"})


def _sequence(qualified: str | None, arguments: Sequence[Value], level: Level) -> Value:
    """What Python's ways to make a sequence know about its elements."""
    if qualified == "zip":
        return Each(element(a) for a in arguments)
    if qualified == "enumerate":
        return Each((Level.PASSIVE, element(arguments[0])))
    return arguments[0] if len(arguments) == 1 else level


def _constant_index(node: cst.Subscript) -> int | None:
    if len(node.slice) != 1 or not isinstance(node.slice[0].slice, cst.Index):
        return None
    value = node.slice[0].slice.value
    negative = isinstance(value, cst.UnaryOperation) and isinstance(value.operator, cst.Minus)
    number = value.expression if isinstance(value, cst.UnaryOperation) and negative else value
    if not isinstance(number, cst.Integer):
        return None
    return -int(number.value, 0) if negative else int(number.value, 0)


def _is_step(spelling: rules.Spelling, args: Sequence[cst.Arg], program: Program) -> bool:
    """Whether the arguments make this spelling a step: `torch.max` needs `dim`, `.astype` a whole-number type."""
    offset = 0 if spelling.is_method else 1
    given: dict[str, str] = {}
    for place, arg in enumerate(args):
        text = program.qualified(arg.value) or program.source.code(arg.value).strip("'\"")
        if arg.keyword is not None:
            given[arg.keyword.value] = text
        elif 0 <= place - offset < len(spelling.parameters):
            given[spelling.parameters[place - offset]] = text
    if spelling.needs and not set(spelling.needs) & set(given):
        return False
    return not spelling.discrete_dtype or given.get("dtype", "").rpartition(".")[2].startswith(_WHOLE_TYPES)


_WHOLE_TYPES = ("int", "uint", "bool", "long", "short", "LongTensor", "IntTensor", "BoolTensor", "i", "u", "?")


def _passive(self: Expressions, node: cst.CSTNode, env: Env, at: Context) -> Value:
    self._children(node, env, at)
    return Level.PASSIVE


_DISPATCH: Mapping[type[cst.CSTNode], Callable[..., Value]] = {
    cst.Name: Expressions._name, cst.Attribute: Expressions._attribute, cst.Subscript: Expressions._subscript,
    cst.Tuple: Expressions._tuple, cst.Dict: Expressions._dict, cst.Lambda: Expressions._lambda, cst.NamedExpr: Expressions._named,
    cst.IfExp: Expressions._if, cst.BooleanOperation: Expressions._boolean, cst.Comparison: Expressions._comparison,
    cst.BinaryOperation: Expressions._binary, cst.ListComp: Expressions._comprehension,
    cst.GeneratorExp: Expressions._comprehension, cst.SetComp: Expressions._comprehension,
    cst.DictComp: Expressions._comprehension, cst.Call: Expressions._call, cst.FormattedString: _passive,
}  # fmt: skip

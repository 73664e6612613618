"""Turns calls into the level of their value: a step, an own function, a container's method, or something smooth."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import libcst as cst

from metric2loss import rules
from metric2loss.analysis import sequences, tables
from metric2loss.analysis.aliases import MUTATING
from metric2loss.analysis.facts import Each, Keyed, Level, Site, Value, top, walk
from metric2loss.analysis.values import Context, Env, Recorder, Values, element
from metric2loss.frontend.composed import Unique
from metric2loss.frontend.resolve import Function, Program, target_names

__all__ = ["Context", "Env", "Expressions", "Recorder", "element"]


class Expressions(Values):
    """Levels of expressions, calls among them."""

    def call(self, node: cst.Call, env: Env, at: Context) -> Value:
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
        if qualified in ("collections.defaultdict", "collections.OrderedDict"):
            return _as_keyed(arguments[1:] if qualified == "collections.defaultdict" else arguments, level)
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
        return self._active(node, qualified, receiver, arguments, env, at)

    def _active(
        self,
        node: cst.Call,
        qualified: str | None,
        receiver: cst.BaseExpression | None,
        arguments: Sequence[Value],
        env: Env,
        at: Context,
    ) -> Value:
        """A call that is given a score, or is a method of one."""
        base = self.recorder.levels.get(receiver, Level.PASSIVE) if receiver is not None else Level.PASSIVE
        if (qualified or "").rpartition(".")[2] == "where" and top(arguments[0]) is Level.ACTIVE:
            return self._truth(node.args[0].value)
        spelling = self._spelling(node, qualified, base)
        if spelling is not None:
            return self._step(node, spelling, receiver, env, at)
        if isinstance(node.func, cst.Name) and node.func.value in self.program.functions and node.func.value not in env:
            return self._own(node, self.program.functions[node.func.value], arguments, at)
        if isinstance(node.func, cst.Name) and node.func.value in self.recorder.nested:
            return self._nested(node, at)
        if not self._is_own_object(receiver, env):
            stores = isinstance(node.func, cst.Attribute) and node.func.attr.value in tables.METHODS_IN_PLACE
            if self._is_smooth(qualified, node, base) or (stores and receiver is not None):
                return Level.ACTIVE
        if Unique.read(self.program, node) is not None:
            self.recorder.unshaped[node] = None
        name = self.program.source.code(node.func)
        if isinstance(node.func, (cst.Subscript, cst.Call)):
            self.problem(
                "M2L301",
                node,
                "a function that is looked up is given a score",
                f"Which function {'is found there' if len(name) > _SHORT else f'`{name}` is'} is known when it runs, not before.",
                'Call each by its name, as in `f1(scores, y) if name == "f1" else accuracy(scores, y)`, or use '
                "`compile_metric(metric, example=...)`, which runs the metric as it is.",
            )
            return Level.DISCRETE
        self.problem(
            "M2L301",
            node,
            f"no rule for `{name}` with a score in it",
            f"What `{name}` does with a real score cannot be read from this file.",
            "Write it with operations that have a rule (`metric2loss rules`), or pass it the result of a step.",
        )
        return Level.DISCRETE

    def _truth(self, node: cst.BaseExpression) -> Value:
        self.problem(
            "M2L302",
            node,
            "a score is used as a condition",
            "It asks whether a real number is zero.",
            "Write the comparison: `!= 0`.",
        )
        return Level.DISCRETE

    def _is_own_object(self, receiver: cst.BaseExpression | None, env: Env) -> bool:
        """An instance of a class of the user's file, or an object of the module: its methods may do anything."""
        root: cst.CSTNode | None = receiver
        while isinstance(root, (cst.Attribute, cst.Subscript, cst.Call)):
            root = root.func if isinstance(root, cst.Call) else root.value
        if not isinstance(root, cst.Name):
            return False
        if root.value in env:
            return root.value in self.instances
        return root.value in self.program.definitions and root.value not in self.program.imports

    @cached_property
    def instances(self) -> frozenset[str]:
        """Names that are bound to what a class of the user's file makes."""
        classes = {n for n, s in self.program.definitions.items() if isinstance(s, cst.ClassDef)}
        made = [
            n
            for n in walk(self.function.node)
            if isinstance(n, cst.Assign)
            and isinstance(n.value, cst.Call)
            and isinstance(n.value.func, cst.Name)
            and n.value.func.value in classes
        ]
        return frozenset(name for node in made for t in node.targets for name in target_names(t.target))

    @cached_property
    def objects(self) -> frozenset[str]:
        """Names that are bound to what a class makes, whoever wrote it: what they are given may stay in them."""
        made = [n for n in walk(self.function.node) if isinstance(n, cst.Assign) and isinstance(n.value, cst.Call)]
        return frozenset(
            name
            for node in made
            if isinstance(node.value, cst.Call) and _is_class(node.value.func)
            for target in node.targets
            for name in target_names(target.target)
        )

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
                self.weaken(node if name == "setdefault" else receiver, written, env, at.statement)
        called = node.func.value if isinstance(node.func, cst.Attribute) else node.func
        if isinstance(called, cst.Name) and called.value in self.objects and called.value in env and node.args:
            self.weaken(called, written, env, at.statement)
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
        if found is not None and found.needs and self._is_pairwise(node, found):
            return None
        return found if found is not None and _is_step(found, node.args, self.program) else None

    def _is_pairwise(self, node: cst.Call, found: rules.Spelling) -> bool:
        """`torch.max(a, b)`: the larger of two values."""
        place = 0 if found.is_method else 1
        if len(node.args) <= place or node.args[place].keyword is not None:
            return False
        second = node.args[place].value
        computed = isinstance(second, (cst.Call, cst.BinaryOperation, cst.Subscript, cst.Float))
        return computed or top(self.recorder.levels.get(second, Level.PASSIVE)) > Level.PASSIVE

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


_SHORT = 40  # characters of a callee that are shown


def _is_class(node: cst.BaseExpression) -> bool:
    """Whether a callee is named as classes are."""
    name = node.attr if isinstance(node, cst.Attribute) else node
    return isinstance(name, cst.Name) and name.value.lstrip("_")[:1].isupper()


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

"""Turns a step into what the rest of the program can tell apart: the region that consumes it, and the arrays it gathers.

A static region only proposes; the runtime probes the proposal numerically before it is relied on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from metric2loss import names
from metric2loss.analysis.facts import ENTRY, FunctionFacts, Level, Site, small_of, walk
from metric2loss.frontend.resolve import Program, target_names


@dataclass(frozen=True)
class Fold:
    """`choose`: the code from the index to `result` only maps outcomes to outcomes, so g may start after it.

    `region` are the statements it passes, `index` the name of the index in them (None: the step stands inside
    `result`). With `returns_index` the index itself comes back and the results only tell candidates apart.
    """

    site: Site
    results: tuple[cst.BaseExpression, ...]
    statement: int
    region: tuple[int, ...]
    index: str | None
    returns_index: bool = False


@dataclass(frozen=True)
class Gathered:
    """`order`: the order only gathers these passive arrays (as text), so equal rows are interchangeable."""

    site: Site
    arrays: tuple[str, ...]
    nodes: tuple[cst.CSTNode, ...]
    statement: int
    supposed: bool = False  # a guess from the parameters' names: where it fails the probe, nobody was promised anything


_ELEMENTWISE = frozenset(
    [
        "abs",
        "absolute",
        "sqrt",
        "square",
        "exp",
        "log",
        "sign",
        "logical_and",
        "logical_or",
        "logical_not",
        "logical_xor",
        "equal",
        "not_equal",
        "greater",
        "greater_equal",
        "less",
        "less_equal",
        "eq",
        "ne",
        "gt",
        "ge",
        "lt",
        "le",
        "where",
        "hypot",
        "maximum",
        "minimum",
        "isin",
        "add",
        "subtract",
        "multiply",
        "divide",
        "mod",
        "remainder",
        "floor_divide",
        "power",
        "astype",
        "float",
        "double",
        "int",
        "long",
        "bool",
        "to",
        "type",
        "pow",
        "clip",
        "clamp",
        "bitwise_and",
        "bitwise_or",
        "stack",
        "column_stack",
        "norm",
        "isclose",
    ]
)
_SPLITTING = frozenset({"unravel_index", "divmod"})
_GATHERS: Mapping[str, int] = {"take": 0, "take_along_axis": 0, "gather": 0, "take_along_dim": 0, "index_select": 0}
_SAME_ORDER = frozenset(
    [
        "copy",
        "clone",
        "long",
        "int",
        "flip",
        "flipud",
        "fliplr",
        "tolist",
        "list",
        "tuple",
        "reversed",
        "cpu",
        "numpy",
        "detach",
        "astype",
        "to",
        "contiguous",
    ]
)


class Uses:
    """Who uses what: parents of nodes and the loads that see a statement's definition."""

    def __init__(self, program: Program, facts: FunctionFacts) -> None:
        self.program, self.facts = program, facts

    @cached_property
    def parents(self) -> Mapping[cst.CSTNode, cst.CSTNode]:
        found: dict[cst.CSTNode, cst.CSTNode] = {}
        for node in walk(self.facts.function.node.body):
            for child in node.children:
                found[child] = node
        return found

    @cached_property
    def owner(self) -> Mapping[cst.CSTNode, int]:
        """The innermost statement of every node."""
        found: dict[cst.CSTNode, int] = {}
        for statement in self.facts.statements:  # outer statements come first, inner ones overwrite
            for node in walk(statement.node):
                found[node] = statement.id
        return found

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """The expression or statement around a node, past libcst's in-between nodes."""
        at = self.parents.get(node)
        while isinstance(at, (cst.Arg, cst.ComparisonTarget, cst.Index, cst.SubscriptElement, cst.Element)):
            at = self.parents.get(at)
        return at

    def loads(self, statement: int) -> Iterator[cst.Name]:
        """The names that may see a definition made by `statement`."""
        for node, seen in self.facts.reach.items():
            if statement in seen and isinstance(node, cst.Name):
                yield node

    def available(self, node: cst.CSTNode, statement: int) -> bool:
        """Whether every name in `node` holds at the start of `statement` what it holds where it stands."""
        before = self.facts.before.get(statement, {})
        return all(
            before.get(n.value, frozenset()) == self.facts.reach[n] or not self.facts.reach[n]
            for n in walk(node)
            if isinstance(n, cst.Name) and n in self.facts.reach
        )


def fold_choice(program: Program, facts: FunctionFacts, site: Site) -> Fold | None:
    """The region behind an argmax, when it only maps outcomes to outcomes (design: element-wise, passive otherwise)."""
    uses = Uses(program, facts)
    region = _Region(uses, site)
    region.grow()
    frontier = region.frontier()
    if frontier is None or not frontier:
        return None
    statements = {uses.owner[e] for e in frontier}
    if any(facts.statements[s].block != facts.statements[site.statement].block for s in statements):
        return None
    names = {n for e in frontier if (n := region.assigned.get(e))}
    whole = len(frontier) == 1 or (len({uses.facts.reach.get(e) for e in frontier}) == 1 and len(names) == 1)
    if whole:
        return region.outcome(next(iter(frontier)))
    return region.classes(frontier)


class _Region:
    """Grows the set of expressions that map the index element by element."""

    def __init__(self, uses: Uses, site: Site) -> None:
        self.uses, self.facts, self.site = uses, uses.facts, site
        self.derived: set[cst.CSTNode] = {site.node}
        self.statements: list[int] = []  # `name = <derived>`
        self.assigned: dict[cst.CSTNode, str] = {}

    def grow(self) -> None:
        changed = True
        while changed:
            size = len(self.derived)
            for node in list(self.derived):
                self.lift(node)
            changed = len(self.derived) != size

    def lift(self, node: cst.CSTNode) -> None:
        """Adds what directly uses a derived expression, if it stays element-wise."""
        parent = self.uses.parent(node)
        if isinstance(parent, cst.Assign) and parent.value is node or isinstance(parent, (cst.AssignTarget,)):
            self.assign(node, parent)
        elif parent is not None and parent not in self.derived and self.is_elementwise(parent):
            self.derived.add(parent)

    def assign(self, node: cst.CSTNode, parent: cst.CSTNode) -> None:
        if not isinstance(parent, cst.Assign) or len(parent.targets) != 1:
            return
        target, number = parent.targets[0].target, self.uses.owner[parent]
        splits = isinstance(node, cst.Call) and _tail(node.func) in _SPLITTING
        if not (
            isinstance(target, cst.Name) or (splits and isinstance(target, cst.Tuple)) or self.is_pair(node, target)
        ):
            return
        wanted = target_names(target)[1:] if self.is_pair(node, target) else target_names(target)
        loads = [n for n in self.uses.loads(number) if n.value in wanted]
        if number in self.statements or any(self.facts.reach[n] != frozenset({number}) for n in loads):
            return
        if self.facts.statements[number].block != self.facts.statements[self.site.statement].block:
            return
        self.statements.append(number)
        for name in loads:
            self.derived.add(name)
            self.assigned[name] = name.value

    def is_pair(self, node: cst.CSTNode, target: cst.CSTNode) -> bool:
        return node is self.site.node and self.site.pair and isinstance(target, cst.Tuple)

    def is_elementwise(self, node: cst.CSTNode) -> bool:
        if isinstance(node, (cst.BinaryOperation, cst.UnaryOperation)):
            return all(self.is_operand(c) for c in node.children if isinstance(c, cst.BaseExpression))
        if isinstance(node, cst.Comparison):
            return all(self.is_operand(c) for c in (node.left, *(t.comparator for t in node.comparisons))) and not any(
                isinstance(t.operator, (cst.In, cst.NotIn)) for t in node.comparisons
            )
        if isinstance(node, cst.Subscript):
            parts = [e.slice.value for e in node.slice if isinstance(e.slice, cst.Index)]
            return (
                len(parts) == len(node.slice)
                and node.value not in self.derived
                and self.is_operand(node.value)
                and all(self.is_operand(p) for p in parts)
            )
        if isinstance(node, (cst.Tuple, cst.List)):
            inner = self.uses.parent(node)
            return (
                isinstance(inner, cst.Call)
                and _tail(inner.func) == "stack"
                and all(self.is_operand(e.value) for e in node.elements)
            )
        if isinstance(node, cst.Attribute):
            call = self.uses.parents.get(node)
            return isinstance(call, cst.Call) and call.func is node and self.is_elementwise(call)
        if isinstance(node, cst.Call):
            own = isinstance(node.func, cst.Name) and node.func.value in self.uses.program.functions
            receiver = (
                node.func.value if isinstance(node.func, cst.Attribute) and node.func.value in self.derived else None
            )
            known = _tail(node.func) in _ELEMENTWISE | _SPLITTING and not own
            return (
                known and all(self.is_operand(a.value) for a in node.args) and (receiver is not None or bool(node.args))
            )
        return False

    def is_operand(self, node: cst.CSTNode) -> bool:
        """Derived itself, or passive and made outside loops that the step is not in."""
        if node in self.derived:
            return True
        if isinstance(node, (cst.List, cst.Tuple)) and any(e.value in self.derived for e in node.elements):
            return all(self.is_operand(e.value) for e in node.elements)
        if self.facts.level(node) is not Level.PASSIVE:
            return False
        here = self.uses.owner.get(node)
        for name in walk(node):
            for d in self.facts.reach.get(name, ()):
                if d == here or (d != ENTRY and len(self.loops_of(d)) > len(self.site.loops)):
                    return False
        return True

    def loops_of(self, statement: int) -> tuple[object, ...]:
        found = self.facts.statements[statement]
        return found.loops + (
            (found.node,)
            if isinstance(found.node, cst.For) and found.node not in [loop.node for loop in self.site.loops]
            else ()
        )

    def frontier(self) -> list[cst.BaseExpression] | None:
        """The largest derived expressions; None when something else looks at the index."""
        found: list[cst.BaseExpression] = []
        for node in sorted(self.derived, key=lambda n: self.uses.owner[n]):
            parent = self.uses.parent(node)
            if parent in self.derived or not isinstance(node, cst.BaseExpression):
                continue
            if isinstance(parent, cst.Attribute) and self.uses.parent(parent) in self.derived:
                continue
            if isinstance(node, (cst.Attribute, cst.List, cst.Tuple)):
                continue
            number = self.uses.owner[node]
            if isinstance(parent, cst.Assign) and number in self.statements:
                continue
            found.append(node)
        bare = [e for e in found if e is self.site.node or self.direct(e)]
        return None if bare else found

    def direct(self, node: cst.BaseExpression) -> bool:
        """The index itself, not something computed from it."""
        return (
            isinstance(node, cst.Name)
            and self.facts.reach.get(node) == frozenset({self.site.statement})
            and node in self.assigned
            and self.uses.parent(self.site.node) is not None
            and isinstance(self.uses.parent(self.site.node), cst.Assign)
        )

    def outcome(self, frontier: cst.BaseExpression) -> Fold | None:
        number, result = self.uses.owner[frontier], frontier
        if isinstance(frontier, cst.Name):  # g may start at the assignment that made it
            (number,) = self.facts.reach[frontier]
            node = self.facts.statements[number].node
            small = small_of(node)
            if not isinstance(small, cst.Assign) or not isinstance(small.targets[0].target, cst.Name):
                return None
            result = small.value
        if not all(self.uses.available(o, number) for o in self.site.operands):
            return None
        index = self.index_name()
        region = tuple(s for s in sorted(self.statements) if s < number and (s != self.site.statement or index is None))
        if any(len(self.live_loads(s, region, number)) for s in (*region, *self.own_statement(number))):
            return None
        return Fold(self.site, (result,), number, region, index)

    def own_statement(self, number: int) -> tuple[int, ...]:
        return (
            (self.site.statement,) if self.site.statement in self.statements and self.site.statement != number else ()
        )

    def live_loads(self, statement: int, region: tuple[int, ...], last: int) -> list[cst.Name]:
        """Loads of a region name outside the region: then the region cannot disappear from g."""
        inside = {*region, last, self.site.statement}
        return [n for n in self.uses.loads(statement) if self.uses.owner[n] not in inside]

    def index_name(self) -> str | None:
        parent = self.uses.parent(self.site.node)
        if isinstance(parent, cst.Assign):
            names = target_names(parent.targets[0].target)
            return names[-1] if names else None
        return None

    def classes(self, frontier: list[cst.BaseExpression]) -> Fold | None:
        """Several expressions look at the index: they tell candidates apart, the index itself comes back."""
        index = self.index_name()
        last = max(self.uses.owner[e] for e in frontier)
        if index is None or not all(self.uses.available(o, last) for o in self.site.operands):
            return None
        region = tuple(s for s in sorted(self.statements) if s <= last and s != self.site.statement)
        return Fold(self.site, tuple(_unique(frontier, self.uses.program)), last, region, index, returns_index=True)


def _unique(nodes: list[cst.BaseExpression], program: Program) -> list[cst.BaseExpression]:
    seen: dict[str, cst.BaseExpression] = {}
    for node in nodes:
        seen.setdefault(program.source.code(node), node)
    return list(seen.values())


def supposed_classes(program: Program, facts: FunctionFacts, site: Site) -> Gathered | None:
    """Where the region gives up: the targets may still be all that the rest can tell items apart by."""
    before = facts.before.get(site.statement, {})
    levels = dict(zip(facts.function.parameters, facts.arguments))
    passive = [p for p in facts.function.parameters if levels[p] is Level.PASSIVE and p not in facts.function.optional]
    targets = [p for p in names.find_targets(passive, ()) if before.get(p) == frozenset({ENTRY})]
    return Gathered(site, tuple(targets), (), site.statement, supposed=True) if targets and not site.loops else None


def gathered_by(program: Program, facts: FunctionFacts, site: Site) -> Gathered | None:
    """The passive arrays an order gathers, when it does nothing else."""
    uses = Uses(program, facts)
    walkers: list[cst.CSTNode] = [site.node]
    elements: set[cst.CSTNode] = set()
    arrays: dict[str, cst.CSTNode] = {}
    seen: set[cst.CSTNode] = set()
    while walkers:
        node = walkers.pop()
        if node in seen:
            continue
        seen.add(node)
        step = _follow(uses, site, node, node in elements)
        if step is None:
            return None
        more, items, array = step
        walkers.extend((*more, *items))
        elements.update(items)
        if array is not None:
            arrays[array[0]] = array[1]
    last = _emission(uses, site, list(arrays.values()))
    return Gathered(site, tuple(arrays), tuple(arrays.values()), last) if arrays and last is not None else None


_Step = tuple[list[cst.CSTNode], list[cst.CSTNode], "tuple[str, cst.CSTNode] | None"]


def _follow(uses: Uses, site: Site, node: cst.CSTNode, element: bool) -> _Step | None:
    """What uses `node` (the order, or one element of it): more of the same, elements of it, or a gathered array."""
    parent = uses.parent(node)
    if isinstance(parent, cst.Assign) and parent.value is node:
        return _assigned(uses, site, node, parent, element)
    if isinstance(parent, cst.Subscript):
        return _subscripted(uses, node, parent, element)
    if isinstance(parent, cst.Attribute):
        call = uses.parents.get(parent)
        if parent.attr.value in ("shape", "size", "ndim"):
            return [], [], None
        return ([call], [], None) if isinstance(call, cst.Call) and parent.attr.value in _SAME_ORDER else None
    if isinstance(parent, cst.Call):
        return _passed(uses, node, parent)
    if isinstance(parent, (cst.For, cst.CompFor)) and parent.iter is node:
        return [], _bound(uses, parent, parent.target), None
    return None


def _assigned(uses: Uses, site: Site, node: cst.CSTNode, parent: cst.Assign, element: bool) -> _Step | None:
    names = target_names(parent.targets[0].target)
    number = uses.owner[parent]
    if site.pair and node is site.node:
        names = names[1:]
    elif not isinstance(parent.targets[0].target, cst.Name):
        return None
    loads: list[cst.CSTNode] = [n for n in uses.loads(number) if n.value in names]
    if any(uses.facts.reach[n] != frozenset({number}) for n in loads):
        return None
    return ([], loads, None) if element else (loads, [], None)


def _subscripted(uses: Uses, node: cst.CSTNode, parent: cst.Subscript, element: bool) -> _Step | None:
    if parent.value is node:
        slices = all(
            isinstance(e.slice, cst.Slice) or isinstance(e.slice, cst.Index) and isinstance(e.slice.value, cst.Ellipsis)
            for e in parent.slice
        )
        if element:
            return None
        return ([parent], [], None) if slices else ([], [parent], None) if len(parent.slice) == 1 else None
    if uses.facts.level(parent.value) is not Level.PASSIVE or uses.parent(parent) is None:
        return None
    if (
        isinstance(uses.parents.get(parent), cst.AssignTarget)
        or isinstance(uses.parent(parent), cst.AugAssign)
        and uses.parent(parent).target is parent
    ):
        return None
    code = uses.program.source.code
    others = [e for e in parent.slice if not (isinstance(e.slice, cst.Index) and e.slice.value is node)]
    if any(uses.facts.level(o) is not Level.PASSIVE for o in others):
        return None
    text = code(parent.value)
    if others and not any(
        word in code(o) for o in others for word in ("None", "newaxis", "unsqueeze", "reshape", "view")
    ):
        inner = ", ".join(
            ":" if isinstance(e.slice, cst.Index) and e.slice.value is node else code(e).rstrip(", ")
            for e in parent.slice
        )
        text = f"{text}[{inner}]"
    return [], [], (text, parent if others else parent.value)


def _passed(uses: Uses, node: cst.CSTNode, call: cst.Call) -> _Step | None:
    tail = _tail(call.func)
    if tail in ("len", "shape"):
        return [], [], None
    if tail in ("enumerate", "zip"):
        loop = uses.parent(call)
        if isinstance(loop, (cst.For, cst.CompFor)) and isinstance(loop.target, cst.Tuple):
            place = [a.value for a in call.args if a.keyword is None].index(node)  # type: ignore[arg-type]
            targets = loop.target.elements
            return [], _bound(uses, loop, targets[1 if tail == "enumerate" else place].value), None
        return None
    if tail in _SAME_ORDER and call.args and call.args[0].value is node:
        return [call], [], None
    if tail in _GATHERS:
        positional = [a.value for a in call.args]
        method = isinstance(call.func, cst.Attribute) and uses.program.qualified(call.func) is None
        array = call.func.value if method and isinstance(call.func, cst.Attribute) else positional[0]
        if array is node or uses.facts.level(array) is not Level.PASSIVE:
            return None
        return [], [], (uses.program.source.code(array), array)
    return None


def _bound(uses: Uses, loop: cst.For | cst.CompFor, target: cst.CSTNode) -> list[cst.CSTNode]:
    names = target_names(target)
    return [n for n in uses.loads(uses.owner[loop]) if n.value in names]


def _emission(uses: Uses, site: Site, arrays: list[cst.CSTNode]) -> int | None:
    """The statement before which the differences are taken: the step's own, or a later one that sees all arrays."""
    if all(uses.available(a, site.statement) for a in arrays):
        return site.statement
    block = uses.facts.statements[site.statement].block
    last = max(uses.owner[a] for a in arrays)
    if uses.facts.statements[last].block == block and all(uses.available(n, last) for n in (*arrays, *site.operands)):
        return last
    return None


def _tail(node: cst.BaseExpression) -> str:
    return node.attr.value if isinstance(node, cst.Attribute) else node.value if isinstance(node, cst.Name) else ""

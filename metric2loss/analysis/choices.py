"""Turns a choice into the outcomes that the rest of the program can tell apart: the region that consumes the index.

A static region only proposes; the runtime probes the proposal numerically before it is relied on.
"""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from metric2loss.analysis.facts import ENTRY, FunctionFacts, Level, Site, small_of, walk
from metric2loss.analysis.uses import Uses, own_names, tail
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
        splits = isinstance(node, cst.Call) and tail(node.func) in _SPLITTING
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
                and tail(inner.func) == "stack"
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
            known = tail(node.func) in _ELEMENTWISE | _SPLITTING and not own
            known = known and not any(a.keyword is not None and a.keyword.value == "out" for a in node.args)
            return (
                known and all(self.is_operand(a.value) for a in node.args) and (receiver is not None or bool(node.args))
            )
        return False

    def is_operand(self, node: cst.CSTNode) -> bool:
        """Derived itself, or passive and made outside loops and comprehensions that the step is not in."""
        if node in self.derived:
            return True
        if isinstance(node, (cst.List, cst.Tuple)) and any(e.value in self.derived for e in node.elements):
            return all(self.is_operand(e.value) for e in node.elements)
        if self.facts.level(node) is not Level.PASSIVE:
            return False
        here = self.uses.owner.get(node)
        for name in walk(node):
            if isinstance(name, cst.Name) and name.value in self.foreign(node):
                return False
            for d in self.facts.reach.get(name, ()):
                if d == here or (d != ENTRY and len(self.loops_of(d)) > len(self.site.loops)):
                    return False
        return True

    def foreign(self, node: cst.CSTNode) -> set[str]:
        """The names that exist only in a comprehension, lambda or inner function around the node, and not around the step."""
        shared = set(self.uses.around(self.site.node))
        return {name for part in self.uses.around(node) if part not in shared for name in own_names(part)}

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

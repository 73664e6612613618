"""Turns a unit into the body of g: what the user does after the steps, with their results read from the binaries."""

from __future__ import annotations

from functools import cached_property

import libcst as cst

from metric2loss.analysis.facts import Level, small_of, walk
from metric2loss.analysis.graphs import values_read
from metric2loss.analysis.uses import Uses
from metric2loss.codegen.select import select
from metric2loss.codegen.tree import (
    counted,
    noted,
    stops_gradient,
    with_body,
    with_branches,
    with_otherwise,
    with_parts,
)
from metric2loss.codegen.unit import Unit, comment
from metric2loss.lowering import enumerated, replaced
from metric2loss.rows import Rows, append_to_key


class GSide:
    """Writes the body of g: what the user does after the steps, with their results read from the binaries."""

    def __init__(
        self, unit: Unit, rows: Rows | None = None, *, inside: bool = False, needs: tuple[str, ...] = ()
    ) -> None:
        self.unit, self.facts, self.factors, self.rows = unit, unit.facts, unit.factors, rows
        self.inside, self.needs = inside, needs
        self.kept = unit.factors.g if rows is None else rows.inside if inside else rows.outside

    def body(self) -> list[cst.BaseStatement]:
        """g; with rows, the method that computes them (`inside`) or the g that calls it with the parameters it `needs`."""
        found = self.suite(self.facts.function.node.body)
        if self.rows is None:
            return found
        if self.inside:
            return [*found, self.returned(self.rows)]
        return [*self.opening(self.rows), *found]

    def returned(self, rows: Rows) -> cst.BaseStatement:
        """`return values` at the end of rows; a comprehension becomes a dictionary by row."""
        if isinstance(rows.loop, cst.CompFor):
            assert isinstance(rows.values[0], (cst.ListComp, cst.GeneratorExp))
            inner = self.put(rows.values[0])
            key = cst.Name(self.factors.keys[rows.loop][0])
            by_row = cst.DictComp(key, inner.elt, inner.for_in)  # type: ignore[attr-defined]
            return cst.SimpleStatementLine([cst.Return(by_row)])
        values = self.put(rows.values[0])
        line = cst.SimpleStatementLine([cst.Return(values.with_changes(lpar=[], rpar=[]))])  # type: ignore[arg-type]
        steps = [s for s in self.factors.steps for c in s.cuts if c.result in set(walk(rows.values[0]))]
        return noted(line, "; ".join(comment(self.unit, s) for s in dict.fromkeys(steps))) if steps else line

    def opening(self, rows: Rows) -> list[cst.BaseStatement]:
        """In g: `values = list(self.rows(...).values())` where the user's own name for the list is used below."""
        return [cst.parse_statement(f"{rows.name} = {self.call_rows()}")] if rows.name else []

    def call_rows(self) -> str:
        call = f"{self.unit.owner}.rows({', '.join([self.unit.binaries, *self.needs])})"
        if self.rows is None or self.rows.loop is None:
            return call
        return f"{'sum' if self.rows.summed else 'list'}({call}.values())"

    def suite(self, suite: cst.BaseSuite) -> list[cst.BaseStatement]:
        found: list[cst.BaseStatement] = []
        for node in suite.body:
            number = self.unit.numbers.get(node)
            if number is not None and number in self.kept:
                found.extend(self.statement(number))
        return found

    def statement(self, number: int) -> list[cst.BaseStatement]:
        node = self.facts.statements[number].node
        if isinstance(node, cst.If):
            return self.if_(node)
        if isinstance(node, cst.For):
            key = self.factors.keys.get(node)
            head = node.with_changes(iter=self.put(node.iter))
            head = counted(head, key[0]) if key is not None and key[1] else head
            other = self.suite(node.orelse.body) if node.orelse is not None else []
            return [with_otherwise(with_body(head, self.suite(node.body)), other)]
        if isinstance(node, cst.While):
            loop = node.with_changes(test=self.put(node.test))
            other = self.suite(node.orelse.body) if node.orelse is not None else []
            return [with_otherwise(with_body(loop, self.suite(node.body)), other)]
        if isinstance(node, cst.With):
            body = self.suite(node.body)
            if stops_gradient(self.unit.program, node):
                return body
            return [with_body(node.with_changes(items=[self.put(item) for item in node.items]), body)]
        if isinstance(node, cst.Try):
            return [with_parts(node, self.suite)]
        if isinstance(node, cst.Match):
            return [self.put(node)]  # type: ignore[list-item]
        return self.simple(node, number)

    def if_(self, node: cst.If, nested: bool = False) -> list[cst.BaseStatement]:
        body = self.suite(node.body)
        other: list[cst.BaseStatement] = []
        if isinstance(node.orelse, cst.If):
            number = self.unit.numbers[node.orelse]
            other = self.if_(node.orelse, nested=True) if number in self.kept else []
        elif node.orelse is not None:
            other = self.suite(node.orelse.body)
        if not body and not other:
            return []
        changed = with_branches(node.with_changes(test=self.put(node.test)), body, other)
        if (
            not nested
            and self.facts.level(node.test) is Level.DISCRETE
            and self.facts.statements[self.unit.numbers[node]].loops
        ):
            selected = select(changed, self.unit.program.steps)
            return [selected] if selected is not None else [changed]
        return [changed]

    def simple(self, node: cst.BaseStatement, number: int) -> list[cst.BaseStatement]:
        if self.rows is not None and self.inside and number in (self.rows.start, *self.rows.appends):
            node = self.row(node, number, self.rows)
        node = self.unpair(node)
        changed = self.put(node)
        changed = self.array(changed, number)
        steps = [
            s
            for s in self.factors.steps
            for c in s.cuts
            if c.statement == number
            and c.result in set(walk(node, frozenset(self.rows.values if self.rows and not self.inside else ())))
        ]
        if steps and isinstance(changed, cst.SimpleStatementLine):
            notes = "; ".join(dict.fromkeys(comment(self.unit, s, number) for s in dict.fromkeys(steps)))
            changed = noted(changed, notes)
        return [changed]  # type: ignore[list-item]

    def row(self, node: cst.BaseStatement, number: int, rows: Rows) -> cst.BaseStatement:
        """In rows, values are kept by row: `values = {}`, `values[i] = x`."""
        assert isinstance(node, cst.SimpleStatementLine) and rows.loop is not None
        if number == rows.start:
            return node.with_changes(body=[node.body[0].with_changes(value=cst.Dict([]))])
        return append_to_key(node, rows.name, self.factors.keys[rows.loop][0])

    def put(self, node: cst.CSTNode) -> cst.CSTNode:
        below = set(walk(node))
        found: dict[cst.CSTNode, cst.CSTNode] = {k: v for k, v in self.unit.results.items() if k in below}
        found.update({k: v for k, v in self.facts.aliases.items() if k in below})
        if self.rows is not None and not self.inside and not self.rows.name:
            found.update({v: cst.parse_expression(self.call_rows()) for v in self.rows.values if v in below})
        clauses: dict[cst.CSTNode, cst.CSTNode] = {}
        for inner in walk(node):
            key = self.factors.keys.get(inner)
            if isinstance(inner, cst.CompFor) and key is not None and key[1]:
                target, iterable = enumerated(inner, key[0])
                clauses[inner.target], clauses[inner.iter] = target, replaced(iterable, found)
        return replaced(node, {**found, **clauses, **self.tables(node)})

    def tables(self, node: cst.CSTNode) -> dict[cst.CSTNode, cst.CSTNode]:
        """Module constants indexed by a step's result are wrapped where they stand."""
        found: dict[cst.CSTNode, cst.CSTNode] = {}
        for inner in walk(node):
            if (
                isinstance(inner, cst.Subscript)
                and isinstance(inner.value, cst.Name)
                and self.is_table(inner)
                and not self.facts.reach.get(inner.value)
                and inner.value.value in self.unit.program.definitions
            ):
                found[inner.value] = cst.parse_expression(f"{self.unit.program.steps}.array({inner.value.value})")
        return found

    def is_table(self, node: cst.Subscript) -> bool:
        return any(self.facts.level(e) is Level.DISCRETE for e in node.slice)

    def array(self, node: cst.CSTNode, number: int) -> cst.CSTNode:
        """Buffers and tables that steps' results index or write become batched copies when g is evaluated for many anchors."""
        small = small_of(node)
        if (
            not isinstance(small, cst.Assign)
            or not isinstance(small.targets[0].target, cst.Name)
            or not isinstance(small.value, cst.Call)
        ):
            return node
        original = small_of(self.facts.statements[number].node)
        if (
            not isinstance(original, cst.Assign)
            or self.facts.level(original.value) is not Level.PASSIVE
            or not self.touched(number)
        ):
            return node
        return node.with_changes(
            body=[
                small.with_changes(
                    value=cst.Call(cst.parse_expression(f"{self.unit.program.steps}.array"), [cst.Arg(small.value)])
                )
            ]
        )

    def touched(self, number: int) -> bool:
        """Whether what `number` defines is indexed, written or counted into by steps' results later."""
        for name, seen in self.facts.reach.items():
            if number not in seen or not isinstance(name, cst.Name):
                continue
            parent = self.uses.parents.get(name)
            if isinstance(parent, cst.Subscript) and parent.value is name:
                holder = self.uses.parents.get(parent)
                if self.is_table(parent) or isinstance(holder, cst.AssignTarget) and self.writes_discrete(parent):
                    return True
            call = self.uses.parent(name)
            if (
                isinstance(call, cst.Call)
                and isinstance(self.uses.parent(call), cst.Expr)
                and any(self.facts.level(a.value) is Level.DISCRETE for a in call.args)
            ):
                return True
        return False

    def writes_discrete(self, target: cst.Subscript) -> bool:
        statement = self.facts.statements[self.uses.owner[target]].node
        small = small_of(statement)
        return isinstance(small, (cst.Assign, cst.AugAssign)) and self.facts.level(small.value) is Level.DISCRETE

    @cached_property
    def uses(self) -> Uses:
        return Uses(self.unit.program, self.facts)

    def unpair(self, node: cst.BaseStatement) -> cst.BaseStatement:
        """`values, indices = x.max(1)` → `indices = …`; `values, indices = x.max(1)[0], …` where the result reads them."""
        small = small_of(node)
        if not isinstance(small, cst.Assign) or small.value not in self.unit.results:
            return node
        cuts = [cut for step in self.factors.steps for cut in step.cuts]
        cut = next(cut for cut in cuts if cut.result is small.value)
        site = cut.site
        if not site.pair or not isinstance(small.targets[0].target, cst.Tuple):
            return node
        if values_read(self.facts, cuts, cut):
            values = cst.Subscript(small.value.deep_clone(), [cst.SubscriptElement(cst.Index(cst.Integer("0")))])
            both = cst.Tuple([cst.Element(values), cst.Element(small.value)], lpar=[], rpar=[])
            return node.with_changes(body=[small.with_changes(value=both)])
        target = small.targets[0].target.elements[1].value
        return node.with_changes(body=[small.with_changes(targets=[cst.AssignTarget(target)])])  # type: ignore[arg-type]

"""Turns a unit into the body of f: the user's hard lines up to the operands, and a record of every step."""

from __future__ import annotations

import textwrap

import libcst as cst

from metric2loss.analysis.facts import Level, small_of
from metric2loss.codegen.coercions import coercions
from metric2loss.codegen.tree import (
    counted,
    indented,
    jumps,
    stops_gradient,
    with_body,
    with_branches,
    with_otherwise,
    with_parts,
)
from metric2loss.codegen.unit import Unit, comment
from metric2loss.factor import Step
from metric2loss.lowering import differences, needs_function, outcome_name, outcome_text, replaced


class FSide:
    """Writes the body of f: the user's hard lines up to the operands, and a record of every step."""

    def __init__(self, unit: Unit) -> None:
        self.unit, self.facts, self.factors = unit, unit.facts, unit.factors
        self.emissions: dict[int, list[Step]] = {}
        for step in unit.factors.steps:
            self.emissions.setdefault(step.emission, []).append(step)

    def body(self) -> list[cst.BaseStatement]:
        body = self.suite(self.facts.function.node.body)
        if self.unit.bare:
            return body
        opening = cst.parse_statement(f"{self.unit.tape} = {self.unit.program.steps}.Tape()")
        return [opening, *body, cst.parse_statement(f"return {self.unit.tape}")]

    def suite(self, suite: cst.BaseSuite) -> list[cst.BaseStatement]:
        found: list[cst.BaseStatement] = []
        for node in suite.body:
            number = self.unit.numbers.get(node)
            if number is not None:
                found.extend(self.statement(number))
        return found

    def number(self, node: cst.CSTNode) -> int | None:
        return self.unit.numbers.get(node)

    def statement(self, number: int) -> list[cst.BaseStatement]:
        node = self.facts.statements[number].node
        before = [s for step in self.emissions.get(number, ()) for s in self.emit(step)]
        if isinstance(node, cst.If):
            return before + self.if_(node, number)
        if isinstance(node, cst.For):
            body, other = self.suite(node.body), self.suite(node.orelse.body) if node.orelse is not None else []
            return before + ([with_otherwise(with_body(self.header(node), body), other)] if body or other else [])
        if isinstance(node, cst.With):
            body = self.suite(node.body)
            return before + (body if stops_gradient(self.unit.program, node) or not body else [with_body(node, body)])
        if isinstance(node, cst.While):
            body = self.suite(node.body)
            kept = number in self.factors.f
            return before + ([with_body(node.with_changes(test=self.active(node.test)), body)] if kept else [])
        if isinstance(node, cst.Try):
            return before + self.try_(node)
        if isinstance(node, cst.Match):
            return before + ([node] if number in self.factors.f else [])
        if number not in self.factors.f:
            return before
        return before + self.simple(node, number)

    def try_(self, node: cst.Try) -> list[cst.BaseStatement]:
        """Only what f needs of each part; without a body nothing is left to catch."""
        body = self.suite(node.body)
        if not body:
            return self.suite(node.finalbody.body) if node.finalbody is not None else []
        return [with_parts(node, self.suite)]

    def simple(self, node: cst.BaseStatement, number: int) -> list[cst.BaseStatement]:
        if isinstance(node, cst.SimpleStatementLine) and isinstance(node.body[-1], cst.Return):
            return [cst.parse_statement(f"return {self.unit.tape}")]
        changed = self.active(node)
        return [] if _does_nothing(changed) else [changed]  # type: ignore[list-item]

    def if_(self, node: cst.If, number: int) -> list[cst.BaseStatement]:
        body = self.suite(node.body)
        other = self.orelse(node)
        if self.facts.level(node.test) is not Level.PASSIVE and not self.is_hard(node, number):
            return [s for s in (*body, *other) if not jumps(s)]  # evaluated always: both outcomes must be known
        if not body and not other:
            return []
        return [with_branches(node.with_changes(test=self.active(node.test)), body, other)]

    def orelse(self, node: cst.If) -> list[cst.BaseStatement]:
        if isinstance(node.orelse, cst.If):
            number = self.unit.numbers.get(node.orelse)
            return self.statement(number) if number is not None else []
        return self.suite(node.orelse.body) if node.orelse is not None else []

    def is_hard(self, node: cst.If, number: int) -> bool:
        """Whether the condition chooses how scores are prepared: then it keeps its hard value."""
        inside = [
            s.id
            for s in self.facts.statements
            if number in s.control and s.id != number and self.unit.below(s.id, number)
        ]
        return any(i in self.factors.f and self.facts.defines.get(i) for i in inside) and not any(
            i in self.emissions for i in inside
        )

    def header(self, node: cst.For) -> cst.For:
        node = self.active_header(node)
        key = self.factors.keys.get(self.original(node))
        return node if key is None or not key[1] else counted(node, key[0])

    def active_header(self, node: cst.For) -> cst.For:
        self._original = node
        return node.with_changes(iter=self.active(node.iter))

    def original(self, _: cst.For) -> cst.For:
        return self._original

    def active(self, node: cst.CSTNode) -> cst.CSTNode:
        """A node with coercions of scores undone: f keeps them differentiable."""
        return replaced(node, coercions(self.unit, node))

    def text(self, node: cst.CSTNode) -> str:
        return self.unit.program.source.code(self.active(node))

    def emit(self, step: Step) -> list[cst.BaseStatement]:
        unit = self.unit
        value = differences(unit.program, step, self.text)
        if step.site.rule == "call":
            value = value.replace(f"{step.site.using}_f(", f"{unit.calls[step.name].name}_f(", 1)
        target = "return" if unit.bare else f"{unit.at(unit.tape, step)} ="
        lines = [f"{target} {value}  # {comment(unit, step)}"]
        if needs_function(step):
            lines = [*self.outcome(step), *lines]
        for guard, holds in reversed(step.site.guards):
            if self.facts.level(guard) is Level.PASSIVE and not self.is_comprehension_guard(step, guard):
                text = self.text(guard)
                lines = [f"if {text}:" if holds else f"if not ({text}):", *indented(lines)]
        lines = self.in_comprehension(step, lines)
        module = cst.parse_module("\n".join(lines) + "\n")
        first = module.body[0]
        return [first.with_changes(leading_lines=[*module.header, *first.leading_lines]), *module.body[1:]]

    def is_comprehension_guard(self, step: Step, guard: cst.CSTNode) -> bool:
        return any(
            guard is c.test for loop in step.site.loops if isinstance(loop.node, cst.CompFor) for c in loop.node.ifs
        )

    def in_comprehension(self, step: Step, lines: list[str]) -> list[str]:
        for loop in reversed(step.site.loops):
            if not isinstance(loop.node, cst.CompFor):
                continue
            for clause in reversed(loop.node.ifs):
                if self.facts.level(clause.test) is Level.PASSIVE:
                    lines = [f"if {self.text(clause.test)}:", *indented(lines)]
            key, count = self.factors.keys[loop.node]
            target, iterable = self.text(loop.node.target), self.text(loop.node.iter)
            if count:
                wrapped = f"({target})" if "," in target and not target.startswith("(") else target
                target, iterable = f"{key}, {wrapped}", f"enumerate({iterable})"
            lines = [f"for {target} in {iterable}:", *indented(lines)]
        return lines

    def outcome(self, step: Step) -> list[str]:
        """The region between the index and the outcome, as a nested function."""
        assert step.fold is not None
        index = step.fold.index or "choice"
        body: list[str] = []
        for number in step.fold.region:
            node = self.facts.statements[number].node
            plain = replaced(node, {step.site.node: cst.Name(index)})
            body.extend(
                self.unit.program.source.tree.code_for_node(plain.with_changes(leading_lines=[]))
                .strip("\n")
                .splitlines()
            )
        body = textwrap.dedent("\n".join(body)).splitlines()
        return [
            "",
            f"def {outcome_name(step)}({index}):",
            *indented([*body, f"return {outcome_text(self.unit.program, step, index)}"]),
            "",
        ]


def _does_nothing(node: cst.CSTNode) -> bool:
    """`scores = scores`: what is left of `scores = scores.detach()`."""
    small = small_of(node)
    return (
        isinstance(small, cst.Assign) and len(small.targets) == 1 and small.targets[0].target.deep_equals(small.value)
    )

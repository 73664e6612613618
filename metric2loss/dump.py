"""Prints the stages of the pipeline: what each one found, as text that can be read and, where it is Python, run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import libcst as cst

from metric2loss.analysis.facts import ENTRY, Level
from metric2loss.analysis.graphs import render
from metric2loss.codegen.module import Part
from metric2loss.codegen.unit import Unit
from metric2loss.frontend.resolve import Program
from metric2loss.lowering import lowered

STAGES = ("parse", "resolve", "analyse", "lowered", "graph", "factor", "generate")


@dataclass(frozen=True)
class Stages:
    """Everything the pipeline made on the way to a module."""

    program: Program
    parts: tuple[Part, ...]
    helpers: tuple[Unit, ...]

    def show(self, stage: str, text: str) -> str:
        if stage == "generate":
            return text
        if stage not in _SHOW:
            raise ValueError(f"no stage {stage!r}; there are {', '.join(STAGES)}")
        return "\n".join(_SHOW[stage](self)) + "\n"

    @property
    def units(self) -> tuple[Unit, ...]:
        return (*self.helpers, *(p.unit for p in self.parts))


def _parse(stages: Stages) -> Iterator[str]:
    source = stages.program.source
    yield f"{source.path}  sha256:{source.digest}"
    for statement in source.tree.body:
        at = source.positions.get(statement)
        where = f"{at.start.line}-{at.end.line}" if at else "?"
        yield f"  lines {where}: {type(statement).__name__}"


def _resolve(stages: Stages) -> Iterator[str]:
    program = stages.program
    yield "imports: " + ", ".join(f"{k} = {v}" for k, v in program.imports.items())
    yield "functions: " + ", ".join(program.functions)
    for part in stages.parts:
        m = part.metric
        yield f"metric {m.function.name}: scores {', '.join(m.scores)}; targets {', '.join(m.targets)}; direction {m.direction}"


def _analyse(stages: Stages) -> Iterator[str]:
    source = stages.program.source
    for unit in stages.units:
        facts = unit.facts
        yield f"{facts.function.name}({', '.join(f'{p}: {_level(v)}' for p, v in zip(facts.function.parameters, facts.arguments))}) -> {_level(facts.result)}"
        for site in facts.sites:
            live = any(site is c.site for s in unit.factors.steps for c in s.cuts)
            yield f"  line {source.line(site.node)}: {site.rule}  {source.code(site.node)}" + (
                "" if live else "  (frozen)"
            )


def _lowered(stages: Stages) -> Iterator[str]:
    for unit in stages.units:
        yield lowered(
            unit.program, unit.factors, unit.key, {k: u.name for k, u in unit.calls.items()}, unit.name
        ).strip("\n")
        yield ""


def _graph(stages: Stages) -> Iterator[str]:
    for unit in stages.units:
        describe = describer(stages.program, unit)
        cuts = frozenset(c.node for s in unit.factors.steps for c in s.cuts)
        yield f"{unit.facts.function.name}:"
        for name, nodes in (("f", unit.factors.f | cuts), ("h", cuts), ("g", unit.factors.g | {"return"})):
            yield render(unit.factors.graph, name, frozenset(nodes), describe)


def _factor(stages: Stages) -> Iterator[str]:
    source = stages.program.source
    for unit in stages.units:
        yield f"{unit.facts.function.name}:"
        for step in unit.factors.steps:
            keys = f"[{', '.join(unit.key(step))}]" if unit.key(step) else ""
            yield f"  {step.name}{keys}: {step.site.rule} at line {source.line(step.site.node)}; g starts at `{source.code(step.cuts[0].result)}`"
            if step.gathered is not None:
                yield f"    told apart by {', '.join(step.gathered.arrays)}"
            if step.fold is not None:
                yield f"    {'classes' if step.fold.returns_index else 'outcome'}: {', '.join(source.code(r) for r in step.fold.results)}"
        yield f"  f keeps lines {_lines(stages.program, unit, unit.factors.f)}"
        yield f"  g keeps lines {_lines(stages.program, unit, unit.factors.g)}"


def _lines(program: Program, unit: Unit, nodes: frozenset[object]) -> str:
    found = [
        program.source.positions.get(unit.facts.statements[n].node) for n in nodes if isinstance(n, int) and n != ENTRY
    ]
    return ", ".join(map(str, sorted({at.start.line for at in found if at is not None}))) or "none"


def describer(program: Program, unit: Unit) -> Callable[[object], str]:
    """How a node of the dependence graph is called in print."""
    cuts = {c.node: c for s in unit.factors.steps for c in s.cuts}

    def describe(node: object) -> str:
        if node == ENTRY:
            return "parameters"
        if node in cuts:
            site = cuts[node].site
            return f"step {site.rule} at line {program.source.line(site.node)}"
        if isinstance(node, int):
            statement = unit.facts.statements[node].node
            at = program.source.positions.get(statement)
            first = (
                program.source.code(statement.with_changes(leading_lines=[])).split("  #")[0]
                if isinstance(statement, cst.SimpleStatementLine)
                else _headline(program, statement)
            )
            return f"line {at.start.line if at else '?'}: {first[:60]}"
        return str(node)

    return describe


def _headline(program: Program, node: cst.BaseStatement) -> str:
    lines = [line.strip() for line in program.source.tree.code_for_node(node).splitlines()]
    return next((line for line in lines if line and not line.startswith("#")), "")


def _level(value: object) -> str:
    return value.name.lower() if isinstance(value, Level) else str(value)


_SHOW: Mapping[str, Callable[[Stages], Iterator[str]]] = {
    "parse": _parse, "resolve": _resolve, "analyse": _analyse, "lowered": _lowered, "graph": _graph, "factor": _factor,
}  # fmt: skip

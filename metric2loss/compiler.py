"""The pipeline: text ─parse→ ModuleSource ─resolve→ Program ─analyse→ facts ─factor→ f and g ─generate→ text of a loss module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import libcst as cst

from metric2loss import names
from metric2loss.analysis.activity import analyse
from metric2loss.analysis.facts import FunctionFacts, Level, small_of
from metric2loss.codegen.module import Part, generate, unit_of
from metric2loss.codegen.unit import Unit
from metric2loss.describe import MetricReport, header_of, library_of, report_of
from metric2loss.diagnostics import Diagnostic
from metric2loss.dump import STAGES, Stages
from metric2loss.factor import Factors, factor, obstacles
from metric2loss.frontend.normalise import pick_return, several
from metric2loss.frontend.reached import reached
from metric2loss.frontend.reshape import reshape
from metric2loss.frontend.resolve import Metric, Options, Program, resolve
from metric2loss.rows import find_rows
from metric2loss.source import parse

__all__ = ["STAGES", "Compiled", "MetricReport", "Options", "compile_text"]


@dataclass(frozen=True)
class Compiled:
    """A generated module, what was decided for each metric, and every stage on the way."""

    text: str
    metrics: tuple[MetricReport, ...]
    stages: Stages

    def dump(self, stage: str) -> str:
        """One stage of the pipeline as text; `stage` is one of STAGES."""
        return self.stages.show(stage, self.text)


def compile_text(text: str, path: str, options: Options | None = None) -> Compiled:
    """Source text → loss module. Nothing of `text` is imported or run.

    Raises MetricError with every located reason why a function cannot be compiled.
    """
    options = options or Options()
    asked = (options.function,) if isinstance(options.function, str) else options.function or ()
    source = replace(parse(reached(text, asked) if asked else text, path), text=text)
    program = resolve(source, options)
    found = [_factored(program, metric) for metric in program.metrics]
    problems = [d for _, _, diagnostics in found for d in diagnostics]
    if problems:
        raise source.error(*_distinct(problems))
    known: dict[int, Unit] = {}
    parts = [_part(factors_program, metric, factors, known) for (factors_program, metric, factors), _, _ in found]
    program = _joined(program, [p for (p, _, _), _, _ in found])
    module = generate(program, parts, known.values())
    reports = tuple(report_of(program, part) for part in parts)
    return Compiled(module, reports, Stages(program, tuple(parts), tuple(known.values())))


def _joined(program: Program, changed: Sequence[Program]) -> Program:
    """What all metrics of a file see together: places and functions that came into being for one of them are kept."""
    positions = dict(program.source.positions)
    functions, definitions = dict(program.functions), dict(program.definitions)
    for one in changed:
        positions.update(one.source.positions)
        functions.update({k: v for k, v in one.functions.items() if k not in program.functions or len(changed) == 1})
        definitions.update({k: v for k, v in one.definitions.items() if k not in definitions or len(changed) == 1})
    source = replace(program.source, positions=positions)
    return replace(program, source=source, functions=functions, definitions=definitions)


_Found = tuple[tuple[Program, Metric, Factors], FunctionFacts, tuple[Diagnostic, ...]]


def _factored(program: Program, metric: Metric) -> _Found:
    program, metric = pick_return(program, metric)
    levels = tuple(Level.ACTIVE if p in metric.scores else Level.PASSIVE for p in metric.function.parameters)
    facts = analyse(program, metric.function, levels)
    while (changed := reshape(program, metric, _unshaped(facts, set()))) is not None:
        program, metric = changed
        facts = analyse(program, metric.function, levels)
    factors = factor(program, facts)
    return (program, metric, factors), facts, tuple(_problems(program, metric, factors))


def _unshaped(facts: FunctionFacts, seen: set[int]) -> list[cst.CSTNode]:
    """The definitions and loops that have to be rewritten, in the metric and in the helpers it calls with scores."""
    if id(facts) in seen:
        return []
    seen.add(id(facts))
    return [*facts.unshaped, *(n for inner in facts.calls.values() for n in _unshaped(inner, seen))]


def _problems(program: Program, metric: Metric, factors: Factors) -> Sequence[Diagnostic]:
    found = [*_every_problem(factors.facts, set()), *obstacles(program, factors), *_several(program, metric, factors)]
    if found:
        return found
    return found if factors.steps else [_no_step(program, metric, factors)]


def _every_problem(facts: FunctionFacts, seen: set[int]) -> list[Diagnostic]:
    if id(facts) in seen:
        return []
    seen.add(id(facts))
    return [*facts.problems, *(d for inner in facts.calls.values() for d in _every_problem(inner, seen))]


def _several(program: Program, metric: Metric, factors: Factors) -> list[Diagnostic]:
    if metric.returns is not None:
        return []
    for number in factors.facts.returns:
        node = factors.facts.statements[number].node
        small = small_of(node)
        choices = several(small.value) if isinstance(small, cst.Return) else None
        if choices is not None and isinstance(small, cst.Return) and small.value is not None:
            return [
                program.source.diagnostic(
                    "M2L106",
                    small.value,
                    f"`{metric.function.name}` returns several values",
                    "A loss needs one number.",
                    f"Say which one is the metric: --returns {choices.split(', ')[0]} (there are {choices}).",
                )
            ]
    return []


def _no_step(program: Program, metric: Metric, factors: Factors) -> Diagnostic:
    facts = factors.facts
    if facts.result is Level.PASSIVE:
        return program.source.diagnostic(
            "M2L104",
            metric.function.node.name,
            f"the result of `{metric.function.name}` does not depend on {_listed(metric.scores)}",
            "No value that is returned is computed from the scores.",
            "Name the parameter that holds the scores: --scores NAME.",
        )
    return program.source.diagnostic(
        "M2L201",
        metric.function.node.name,
        f"`{metric.function.name}` has no step: it is already differentiable",
        "No comparison, sort, argmax or rounding stands between the scores and the result.",
        "Use it as a loss as it is (or its negative, when larger is better).",
    )


def _listed(scores: Sequence[str]) -> str:
    return " or ".join(f"`{s}`" for s in scores)


def _part(program: Program, metric: Metric, factors: Factors, known: dict[int, Unit]) -> Part:
    unit = unit_of(program, factors, known)
    rows = find_rows(program, factors)
    return Part(metric, unit, rows, library_of(program, unit), header_of(program, unit, rows))


def _distinct(problems: Sequence[Diagnostic]) -> list[Diagnostic]:
    seen: Mapping[Diagnostic, None] = dict.fromkeys(problems)
    return sorted(seen, key=lambda d: (d.span.line, d.span.column) if d.span else (0, 0))


assert names  # the faces read class names from there

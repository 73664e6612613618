"""Turns what was decided about a metric into words: its report, the header of its module, its library."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import libcst as cst

from metric2loss import names
from metric2loss.analysis.facts import FunctionFacts, Level, walk
from metric2loss.codegen.module import Part
from metric2loss.codegen.unit import Unit
from metric2loss.diagnostics import Span
from metric2loss.factor import Step
from metric2loss.frontend.resolve import Program
from metric2loss.lowering import bare
from metric2loss.rows import Rows


@dataclass(frozen=True)
class SiteReport:
    """One step: where it is, how many binaries it costs (a formula), and why no more."""

    name: str
    rule: str
    span: Span
    source: str
    binaries: str
    why: str
    loops: tuple[str, ...]


@dataclass(frozen=True)
class MetricReport:
    """What was decided about one metric; `roles` says for each source line whether it is part of f, h or g."""

    function: str
    class_name: str
    span: Span
    direction: str | None
    scores: tuple[str, ...]
    targets: tuple[str, ...]
    library: str | None
    sites: tuple[SiteReport, ...]
    separable: str | None
    notes: tuple[str, ...]
    roles: Mapping[int, str]


def report_of(program: Program, part: Part) -> MetricReport:
    """The report of one metric, helpers included."""
    metric, unit, source = part.metric, part.unit, program.source
    sites = tuple(_sites(program, unit))
    notes = []
    if metric.direction is None:
        notes.append("whether larger is better: decided at first use (the name does not tell)")
    if unit.factors.mixed:
        notes.append("mixed: scores also reach the result as real numbers; that part contributes its own gradient")
    frozen = len([s for s in unit.facts.sites if s not in [c.site for st in unit.factors.steps for c in st.cuts]])
    if frozen:
        notes.append(
            f"{frozen} step{'s' * (frozen > 1)} only prepare{'s' * (frozen == 1)} the scores: kept as written, no binaries"
        )
    notes.append("vmap or loop, the best value and the check of the prunings: decided at first use")
    separable = None if part.rows is None else f"mean over rows of `{source.code(part.rows.values[0])}`"
    return MetricReport(
        metric.function.name,
        names.class_name(metric.function.name),
        source.span(metric.function.node.name),
        metric.direction,
        metric.scores,
        metric.targets,
        part.library,
        sites,
        separable,
        tuple(notes),
        dict(sorted(_roles(program, unit).items())),
    )


def _sites(program: Program, unit: Unit) -> Iterator[SiteReport]:
    source = program.source
    for step in unit.factors.steps:
        if step.site.rule == "call":
            yield from _sites(program, unit.calls[step.name])
            continue
        formula, why = binaries(program, step)
        loops = tuple(source.code(loop.node.target) for loop in step.site.loops)
        text = "; ".join(dict.fromkeys(bare(source.code(c.site.node)) for c in step.cuts))
        yield SiteReport(step.name, step.site.rule, source.span(step.site.node), text, formula, why, loops)


def binaries(program: Program, step: Step) -> tuple[str, str]:
    """The number of binaries of a step as a formula, and why it is not larger."""
    rule = step.site.rule
    if rule == "order":
        if step.gathered is None:
            return "n·(n−1)/2", "every pair: the order is used for more than gathering"
        arrays = " and ".join(f"`{a}`" for a in step.gathered.arrays)
        if step.gathered.supposed:
            return (
                "Σ nₐ·n_b or n·(n−1)/2",
                f"pairs whose {arrays} differ, if nothing else can be told apart: decided at first use",
            )
        return (
            "Σ nₐ·n_b over classes a < b",
            f"only pairs whose {arrays} differ can change the result (two classes: P·N)",
        )
    if rule == "choose":
        if step.fold is None:
            return "n·p·(p−1)/2", "every pair of candidates: the index is used in more than one way"
        shown = " and ".join(f"`{bare(program.source.code(r))}`" for r in step.fold.results)
        one = (
            isinstance(step.fold.results[0], cst.Comparison)
            and len(step.fold.results) == 1
            and not step.fold.region
            and all(isinstance(c.operator, cst.Equal) for c in step.fold.results[0].comparisons)
        )
        return ("n·(p−1)" if one else "Σ m·(p−m) over rows"), f"candidates with equal {shown} are interchangeable"
    if rule == "compare":
        two = (
            bool({"==", "!="} & set(step.operators))
            or bool({">", "<="} & set(step.operators))
            and bool({">=", "<"} & set(step.operators))
        )
        count = "1" if step.site.loops else "n"
        return (f"2·{count}" if two else count), (
            "equality of real numbers is two steps, ≥ and >" if "==" in step.operators else ""
        )
    return "n·K", "one for every threshold between neighbouring values"


def header_of(program: Program, unit: Unit, rows: Rows | None) -> tuple[tuple[str, str], ...]:
    """The f, h and g lines of the module's docstring."""
    found: list[tuple[str, str]] = []
    for site_unit, step in _all_steps(unit):
        differences, meaning = _words(program, step)
        line = program.source.line(step.site.node)
        found.append(("f", f"{differences} (line {line})"))
        found.append(("h", meaning))
    found.append(
        (
            "g",
            f"the rest of `{unit.facts.function.name}`"
            + (f": the mean over rows of {bare(program.source.code(rows.values[0]))}" if rows is not None else ""),
        )
    )
    return tuple(found)


def _all_steps(unit: Unit) -> Iterator[tuple[Unit, Step]]:
    for step in unit.factors.steps:
        if step.site.rule == "call":
            yield from _all_steps(unit.calls[step.name])
        else:
            yield unit, step


def _words(program: Program, step: Step) -> tuple[str, str]:
    code = program.source.code
    operand = bare(code(step.site.operands[0]))
    if step.site.rule == "order":
        arrays = step.gathered.arrays if step.gathered is not None else ()
        verb = "differs" if len(arrays) == 1 else "differ"
        which = f" whose {' or '.join(f'`{a}`' for a in arrays)} {verb}" if arrays else ""
        return f"differences of `{operand}` for every pair of items{which}", "item i is ranked before item j"
    if step.site.rule == "choose":
        which = (
            "" if step.fold is None else f" of different {' or '.join(f'`{bare(code(r))}`' for r in step.fold.results)}"
        )
        return f"differences of `{operand}` between candidates{which}", "candidate i beats candidate j"
    if step.site.rule == "compare":
        right = bare(code(step.site.operands[1]))
        return f"`{operand}` minus `{right}`", ", ".join(f"{operand} {o} {right}" for o in step.operators)
    return f"`{operand}` minus each threshold", "the threshold is passed"


_TORCH_METHODS = frozenset(
    [
        "topk",
        "eq",
        "ne",
        "gt",
        "lt",
        "ge",
        "le",
        "view",
        "expand_as",
        "float",
        "long",
        "double",
        "unsqueeze",
        "scatter_",
        "index_select",
        "cpu",
        "cuda",
        "detach",
        "size",
        "numel",
        "dim",
        "t",
        "permute",
        "masked_fill",
        "bool",
        "sigmoid",
        "softmax",
    ]
)
_NUMPY_METHODS = frozenset(["astype", "copy", "tolist"]) - {"copy", "tolist"}


def library_of(program: Program, unit: Unit) -> str | None:
    """The library whose arrays the metric computes with; None when nothing tells, not even its imports."""
    votes: set[str] = set()
    for facts in _functions(unit.facts, set()):
        for node in walk(facts.function.node):
            votes |= _vote(program, facts, node)
    for name in ("torch", "numpy"):
        if name in votes:
            return name
    imported = {full.partition(".")[0] for full in program.imports.values()} & {"torch", "numpy"}
    return imported.pop() if len(imported) == 1 else None


def _vote(program: Program, facts: FunctionFacts, node: cst.CSTNode) -> set[str]:
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        method = node.func
        if (
            not program.qualified(method)
            and facts.level(method.value) > Level.PASSIVE
            and method.attr.value in _TORCH_METHODS
        ):
            return {"torch"}
    if isinstance(node, cst.Attribute):
        qualified = program.qualified(node) or ""
        root = qualified.partition(".")[0]
        if root in ("torch", "numpy", "scipy"):
            return {"numpy" if root == "scipy" else root}
        if not qualified and node.attr.value in _NUMPY_METHODS:
            return {"numpy"}
    if isinstance(node, cst.Arg) and node.keyword is not None and node.keyword.value in ("axis", "dim"):
        return {"numpy" if node.keyword.value == "axis" else "torch"}
    if isinstance(node, cst.Name) and program.imports.get(node.value, "").startswith(("numpy.", "torch.")):
        return {program.imports[node.value].partition(".")[0]}
    return set()


def _functions(facts: FunctionFacts, seen: set[int]) -> Iterator[FunctionFacts]:
    if id(facts) in seen:
        return
    seen.add(id(facts))
    yield facts
    for inner in facts.calls.values():
        yield from _functions(inner, seen)


def _roles(program: Program, unit: Unit) -> dict[int, str]:
    """Source line → letters of f, h, g, in this order."""
    roles: dict[int, set[str]] = {}
    source, facts = program.source, unit.facts
    for statement in facts.statements:
        at = source.positions.get(statement.node)
        if at is None:
            continue
        last = at.end.line if isinstance(statement.node, cst.SimpleStatementLine) else at.start.line
        for line in range(at.start.line, last + 1):
            if statement.id in unit.factors.g:
                roles.setdefault(line, set()).add("g")
            if (
                statement.id in unit.factors.f
                and not isinstance(statement.node, cst.SimpleStatementLine)
                or statement.id in unit.factors.f
                and statement.id >= 0
            ):
                roles.setdefault(line, set()).add("f")
    for step in unit.factors.steps:
        if step.site.rule == "call":
            for line, letters in _roles(program, unit.calls[step.name]).items():
                roles.setdefault(line, set()).update(letters)
        for cut in step.cuts:
            roles.setdefault(source.line(cut.site.node), set()).update("fh")
    return {line: "".join(letter for letter in "fhg" if letter in found) for line, found in roles.items()}

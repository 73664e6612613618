"""Turns units into the text of a module: header, imports, what the kept lines need, helpers, one class a metric."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import libcst as cst

from metric2loss import names
from metric2loss._version import VERSION
from metric2loss.analysis.facts import FunctionFacts, walk
from metric2loss.codegen.f_side import FSide
from metric2loss.codegen.g_side import GSide
from metric2loss.codegen.unit import Unit
from metric2loss.codegen.wrap import wrapped
from metric2loss.factor import Factors, factor
from metric2loss.frontend.resolve import Metric, Program, bound_names
from metric2loss.lowering import loads
from metric2loss.rows import Rows

Body = Sequence[cst.BaseStatement]


@dataclass(frozen=True)
class Part:
    """One metric to write."""

    metric: Metric
    unit: Unit
    rows: Rows | None
    library: str | None
    header: tuple[tuple[str, str], ...]  # the f, h and g lines of the module's docstring


def unit_of(program: Program, factors: Factors, known: dict[int, Unit]) -> Unit:
    """The unit of a function; helpers with steps become units of their own, one for each way they are called."""
    calls = {}
    for step in factors.steps:
        if step.site.callee is not None:
            calls[step.name] = _helper(program, step.site.callee, known)
    unit = Unit(program, factors, calls)
    needs = parameters(unit, GSide(unit).body())
    optional = unit.facts.function.optional
    return replace(unit, needs=(*(n for n in needs if n not in optional), *(n for n in needs if n in optional)))


def _helper(program: Program, facts: FunctionFacts, known: dict[int, Unit]) -> Unit:
    if id(facts) not in known:
        unit = unit_of(program, factor(program, facts, helper=True), known)
        same = sum(u.facts.function.name == facts.function.name for u in known.values())
        known[id(facts)] = replace(unit, suffix=f"_{same + 1}" if same else "")
    return known[id(facts)]


def parameters(unit: Unit, body: Body) -> tuple[str, ...]:
    """The parameters of a function that some statements mention, in the order of the signature."""
    used = {n for statement in body for n in loads(statement)}
    return tuple(p for p in (*unit.facts.function.parameters, *unit.facts.function.variadic) if p in used)


def generate(program: Program, parts: Sequence[Part], units: Iterable[Unit]) -> str:
    """Factors ─generate→ text of the loss module; the same bytes for the same source, whatever the hash seed."""
    code = program.source.tree.code_for_node
    classes = [_class(program, part) for part in parts]
    helpers = [text for unit in units for text in _pair(program, unit)]
    body = "\n\n\n".join([*helpers, *classes])
    tree = cst.parse_module(body)
    kept = _kept(program, loads(tree))
    imports = [code(s.with_changes(leading_lines=[])).strip() for s in kept if _is_import(s)]
    needed = "\n".join(imports)
    definitions = [code(s.with_changes(leading_lines=[])).strip("\n") for s in kept if not _is_import(s)]
    chunks = [f'"""{_header(program, parts)}\n"""', _imports(needed, program.steps), *_spaced(definitions), body]
    gap = "\n\n\n" if chunks[2].startswith(("def ", "class ", "@", "#")) else "\n\n"
    text = "\n\n".join(chunks[:2]) + gap + "\n\n\n".join(chunks[2:]) + "\n"
    return "\n".join(line.rstrip() for line in text.split("\n"))


def _imports(user: str, steps: str) -> str:
    """The imports in the order that linters like: standard library, others, the user's own package."""
    known = "steps" if steps == "steps" else f"steps as {steps}"
    lines = [*(line for line in user.splitlines() if line), f"from metric2loss.runtime import SurrogateLoss, {known}"]
    groups: list[list[str]] = [[], [], [], []]
    for line in lines:
        root = line.split()[1].partition(".")[0].rstrip(",")
        place = 0 if root == "__future__" else 3 if not root else 1 if root in sys.stdlib_module_names else 2
        groups[place].append(line)
    return "\n\n".join("\n".join(sorted(g, key=_import_order)) for g in groups if g)


def _import_order(line: str) -> tuple[bool, str]:
    return line.startswith("from "), line.split()[1].lower()


def _spaced(definitions: list[str]) -> Iterator[str]:
    """Assignments in a row stay together, functions stand apart."""
    run: list[str] = []
    for text in definitions:
        if text.startswith(("def ", "class ", "@")):
            if run:
                yield "\n".join(run)
                run = []
            yield text
        else:
            run.append(text)
    if run:
        yield "\n".join(run)


def _is_import(statement: cst.BaseStatement) -> bool:
    return isinstance(statement, cst.SimpleStatementLine) and isinstance(
        statement.body[0], (cst.Import, cst.ImportFrom)
    )


def _kept(program: Program, used: frozenset[str]) -> list[cst.BaseStatement]:
    """The module-level statements that the written code needs, and what those need, in the user's order."""
    found: set[str] = set()
    stack = [n for n in used if n in program.definitions]
    while stack:
        name = stack.pop()
        if name in found:
            continue
        found.add(name)
        stack.extend(n for n in loads(program.definitions[name]) if n in program.definitions)
    wanted = {id(program.definitions[n]) for n in found}
    kept = []
    for statement in program.source.tree.body:
        if id(statement) in wanted:
            kept.append(_only(statement, found) if _is_import(statement) else statement)
        elif isinstance(statement, (cst.If, cst.Try)) and any(id(n) in wanted for n in walk(statement)):
            kept.append(statement)
    top = {id(n) for n in walk(program.source.tree)}
    moved = [program.definitions[n] for n in sorted(found) if id(program.definitions[n]) not in top]
    return kept + [d for d in moved if isinstance(d, cst.FunctionDef)]


def _only(statement: cst.BaseStatement, wanted: set[str]) -> cst.BaseStatement:
    """An import without the names that nobody uses."""
    small = statement.body[0]  # type: ignore[attr-defined]
    if isinstance(small.names, cst.ImportStar):
        return statement
    alone = [a.with_changes(comma=cst.MaybeSentinel.DEFAULT) for a in small.names]
    aliases = [a for a in alone if set(bound_names(cst.SimpleStatementLine([small.with_changes(names=[a])]))) & wanted]
    return statement.with_changes(
        body=[
            small.with_changes(names=aliases, lpar=None, rpar=None)
            if isinstance(small, cst.ImportFrom)
            else small.with_changes(names=aliases)
        ]
    )


def _header(program: Program, parts: Sequence[Part]) -> str:
    shown = [
        f"`{p.metric.function.name}` ({program.source.filename}:{program.source.line(p.metric.function.node.name)})"
        for p in parts
    ]
    noun = "Surrogate loss for" if len(parts) == 1 else "Surrogate losses for"
    lines = [
        f"{noun} {', '.join(shown)}.",
        "",
        f"Generated by metric2loss {VERSION} from sha256:{program.source.digest}.",
    ]
    for part in parts:
        lines += ["", *([f"{names.class_name(part.metric.function.name)}"] if len(parts) > 1 else [])]
        for letter, text in part.header:
            lines += (
                textwrap.wrap(text, 100, initial_indent=f"    {letter}  ", subsequent_indent="       ") if text else []
            )
    return "\n".join(lines)


def _class(program: Program, part: Part) -> str:
    unit, metric = part.unit, part.metric
    doc = _docstring(program, unit)
    facts = ["direction", "scores", "library"]
    values = [repr(metric.direction).replace("'", '"'), _tuple(metric.scores), repr(part.library).replace("'", '"')]
    lines = [
        f"class {names.class_name(metric.function.name)}(SurrogateLoss):",
        *(["    " + doc] if doc else []),
        "",
        f"    {', '.join(facts)} = {', '.join(values)}",
    ]
    if not doc:
        lines.pop(1)
    if unit.factors.mixed:
        lines.append("    mixed = True  # scores also reach the result as real numbers")
    if metric.returns is not None:
        key = repr(metric.returns).replace("'", '"')
        lines.append(
            f"    returns, alone = {key}, True  # g returns this value" if metric.alone else f"    returns = {key}"
        )
    f, g = FSide(unit).body(), GSide(unit).body()
    lines += ["", *_method(unit, "f", _signature(unit), f)]
    if part.rows is not None:
        rows = GSide(unit, part.rows, inside=True).body()
        needs = parameters(unit, rows)
        lines += ["", *_method(unit, "rows", ", ".join([unit.binaries, *needs]), rows)]
        g = GSide(unit, part.rows, needs=needs).body()
    needs = parameters(unit, g)
    lines += ["", *_method(unit, "g", ", ".join([unit.binaries, *needs]), g)]
    return "\n".join(lines)


def _pair(program: Program, unit: Unit) -> Iterator[str]:
    """A rewritten helper: `name_f` records its steps, `name_g` goes on from their results."""
    name, where = unit.name, f"{program.source.filename}:{program.source.line(unit.facts.function.node.name)}"
    f, g = FSide(unit).body(), GSide(unit).body()
    yield "\n".join(
        _function(
            program,
            f"{name}_f",
            _signature(unit, method=False),
            f,
            f"# the steps of `{unit.facts.function.name}` ({where})",
        )
    )
    yield "\n".join(
        _function(
            program,
            f"{name}_g",
            ", ".join([unit.binaries, *(_with_default(unit, name) for name in unit.needs)]),
            g,
            f"# the rest of `{unit.facts.function.name}`",
        )
    )


def _with_default(unit: Unit, name: str) -> str:
    """`k=10`: what a call of the helper leaves out, its second half must know as well."""
    params = unit.facts.function.node.params
    for param in (*params.posonly_params, *params.params, *params.kwonly_params):
        if param.name.value == name and param.default is not None:
            return f"{name}={unit.program.source.code(param.default)}"
    return name


def _signature(unit: Unit, method: bool = True) -> str:
    """The user's parameters with their defaults, without annotations."""
    params = unit.facts.function.node.params
    plain = params.visit(_WithoutAnnotations())
    text = cst.Module([]).code_for_node(plain)  # type: ignore[arg-type]
    return " ".join(text.split())


class _WithoutAnnotations(cst.CSTTransformer):
    def leave_Param(self, original_node: cst.Param, updated_node: cst.Param) -> cst.Param:
        space = cst.SimpleWhitespace("")
        equal = cst.AssignEqual(space, space) if updated_node.default is not None else cst.MaybeSentinel.DEFAULT
        return updated_node.with_changes(annotation=None, equal=equal)


def _method(unit: Unit, name: str, signature: str, body: Body) -> list[str]:
    inner = f"{unit.owner}, {signature}" if signature else unit.owner
    return ["    " + line if line else line for line in _function(unit.program, name, inner, body, margin=4)]


def _function(program: Program, name: str, signature: str, body: Body, note: str = "", margin: int = 0) -> list[str]:
    block = cst.IndentedBlock(_without_leading_blanks(body) or [cst.SimpleStatementLine([cst.Pass()])])
    node = cst.FunctionDef(cst.Name(name), cst.Parameters(), block)
    text = cst.Module([], default_indent=program.source.tree.default_indent).code_for_node(node)
    text = text.replace(f"def {name}():", f"def {name}({signature}):", 1)
    indent = program.source.tree.default_indent
    lines = text.rstrip("\n").splitlines()
    if indent != "    ":
        lines = [_reindented(line, indent) for line in lines]
    lines = list(wrapped(lines, program.steps, margin))
    return [*([note] if note else []), *lines]


def _reindented(line: str, indent: str) -> str:
    depth = 0
    while line.startswith(indent * (depth + 1)):
        depth += 1
    return "    " * depth + line[len(indent) * depth :]


def _without_leading_blanks(body: Body) -> list[cst.BaseStatement]:
    """The first statement of a block loses the empty lines above it, not its comments."""
    found = list(body)
    if found:
        lines = [line for line in getattr(found[0], "leading_lines", ()) if line.comment is not None]
        found[0] = found[0].with_changes(leading_lines=lines)
    return found


def _docstring(program: Program, unit: Unit) -> str:
    """The user's own docstring, as written."""
    first = unit.facts.function.node.body.body[0]
    if not unit.facts.function.node.get_docstring() or not isinstance(first, cst.SimpleStatementLine):
        return ""
    return cst.Module([]).code_for_node(first.with_changes(leading_lines=[])).strip()


def _tuple(values: Sequence[str]) -> str:
    return "(" + ", ".join(f'"{v}"' for v in values) + ("," if len(values) == 1 else "") + ")"

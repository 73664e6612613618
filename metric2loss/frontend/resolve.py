"""Turns a ModuleSource into a Program: its functions, what its names refer to, and which functions are the metrics."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import libcst as cst

from metric2loss import names
from metric2loss.diagnostics import Diagnostic
from metric2loss.frontend.inlined import inlined
from metric2loss.source import ModuleSource


@dataclass(frozen=True)
class Options:
    """What the user said about the metric; None means: find out."""

    function: str | tuple[str, ...] | None = None
    scores: tuple[str, ...] | None = None
    targets: tuple[str, ...] | None = None
    direction: str | None = None
    returns: str | int | None = None


@dataclass(frozen=True)
class Function:
    """A function of the user's own code."""

    name: str
    node: cst.FunctionDef

    @property
    def parameters(self) -> tuple[str, ...]:
        p = self.node.params
        return tuple(x.name.value for x in (*p.posonly_params, *p.params, *p.kwonly_params))

    @property
    def variadic(self) -> tuple[str, ...]:
        """The names of `*args` and `**kwargs`."""
        p = self.node.params
        star = (p.star_arg.name.value,) if isinstance(p.star_arg, cst.Param) else ()
        return star + ((p.star_kwarg.name.value,) if p.star_kwarg else ())

    @property
    def optional(self) -> tuple[str, ...]:
        p = self.node.params
        return tuple(x.name.value for x in (*p.posonly_params, *p.params, *p.kwonly_params) if x.default is not None)

    @property
    def positional(self) -> tuple[str, ...]:
        return tuple(x.name.value for x in (*self.node.params.posonly_params, *self.node.params.params))


@dataclass(frozen=True)
class Metric:
    """A function to compile, with its roles decided."""

    function: Function
    scores: tuple[str, ...]
    targets: tuple[str, ...]
    direction: str | None
    returns: str | int | None
    alone: bool = False  # the function was changed to return that value alone


@dataclass(frozen=True)
class Program:
    """The user's module as the compiler sees it."""

    source: ModuleSource
    functions: Mapping[str, Function]
    imports: Mapping[str, str]  # local name → qualified name, `np` → `numpy`
    definitions: Mapping[str, cst.BaseStatement]  # module-level name → the statement that binds it
    metrics: tuple[Metric, ...] = field(default=())

    @cached_property
    def steps(self) -> str:
        """What generated code calls `metric2loss.runtime.steps`: a name that the user's file does not use."""
        if "steps" not in self.source.text:
            return "steps"
        words = tokenize.generate_tokens(io.StringIO(self.source.text).readline)
        return "loss_steps" if any(word.type == tokenize.NAME and word.string == "steps" for word in words) else "steps"

    def qualified(self, node: cst.BaseExpression) -> str | None:
        """`np.linalg.norm` → "numpy.linalg.norm"; None when the root is not an import."""
        parts: list[str] = []
        while isinstance(node, cst.Attribute):
            parts.append(node.attr.value)
            node = node.value
        if not isinstance(node, cst.Name) or node.value not in self.imports:
            return None
        return ".".join((self.imports[node.value], *reversed(parts)))


def resolve(source: ModuleSource, options: Options) -> Program:
    """ModuleSource ─resolve→ Program; raises MetricError with every function that cannot be a metric as asked."""
    functions = {s.name.value: Function(s.name.value, s) for s in source.tree.body if isinstance(s, cst.FunctionDef)}
    definitions: dict[str, cst.BaseStatement] = {}
    imports: dict[str, str] = {}
    for statement in _top_level(source.tree.body):
        imports.update(_imported(statement))
        for name in bound_names(statement):
            definitions[name] = statement
    program = Program(source, functions, imports, definitions)
    return Program(source, functions, imports, definitions, _choose(program, options))


def _choose(program: Program, options: Options) -> tuple[Metric, ...]:
    if options.function is not None:
        candidates = [options.function] if isinstance(options.function, str) else list(options.function)
        missing = [name for name in candidates if name not in program.functions]
        if missing:
            raise program.source.error(*(_no_such_function(program, name) for name in missing))
    else:
        candidates = _public_metrics(program, options)
    metrics: list[Metric] = []
    problems: list[Diagnostic] = []
    for name in candidates:
        found = _roles(program, program.functions[name], options)
        (problems if isinstance(found, Diagnostic) else metrics).append(found)  # type: ignore[arg-type]
    if problems:
        raise program.source.error(*problems)
    return tuple(metrics)


def _public_metrics(program: Program, options: Options) -> list[str]:
    """Every public top-level function with a score parameter that no other such function calls."""
    public = [f for f in program.functions.values() if not f.name.startswith("_") and (f.parameters or f.variadic)]
    scored = [f for f in public if not isinstance(_roles(program, f, options), Diagnostic)]
    called = {name for f in scored for name in called_names(f.node) if name != f.name}
    metrics = [f.name for f in scored if f.name not in called]
    if metrics:
        return metrics
    if public and not scored:
        uncalled = [f for f in public if f.name not in {n for g in public for n in called_names(g.node) if n != g.name}]
        return [f.name for f in uncalled or public]
    raise program.source.error(_no_metric(program))


def _no_metric(program: Program) -> Diagnostic:
    found = inlined(program.source.text, program.source.path)
    if found is not None:
        return found
    classes = [s.name.value for s in program.source.tree.body if isinstance(s, cst.ClassDef)]
    why = f"It defines no public function with parameters{f', only the class {classes[0]}' if classes else ''}."
    return program.source.diagnostic(
        "M2L103",
        program.source.tree.body[0] if program.source.tree.body else None,
        f"no metric function in {program.source.filename}",
        why,
        "Put the metric in a top-level function such as `def metric(scores, labels): ...`; "
        "a metric written inside an evaluation loop has to be lifted out of it.",
    )


def _no_such_function(program: Program, name: str) -> Diagnostic:
    known = ", ".join(f"`{f}`" for f in program.functions) or "none"
    return program.source.diagnostic(
        "M2L109",
        program.source.tree.body[0] if program.source.tree.body else None,
        f"no function `{name}` in {program.source.filename}",
        f"Top-level functions found: {known}.",
        "Give one of them with --function.",
    )


def _roles(program: Program, function: Function, options: Options) -> Metric | Diagnostic:
    parameters = function.parameters
    given = options.scores or ()
    unknown = [n for n in (*given, *(options.targets or ())) if n not in parameters]
    if unknown:
        return program.source.diagnostic(
            "M2L109",
            function.node.name,
            f"`{function.name}` has no parameter `{unknown[0]}`",
            f"Its parameters are {', '.join(f'`{p}`' for p in parameters) or 'none'}.",
            "Give one of them with --scores.",
        )
    scores = given or names.find_scores(parameters, function.optional)
    if isinstance(scores, names.Undecided):
        place = program.source.span(function.node)
        found = inlined(program.source.text, program.source.path, place.line, place.end_line)
        if found is not None:
            return found
        example = scores.candidates[0] if scores.candidates else "NAME"
        return program.source.diagnostic(
            "M2L104",
            function.node.name,
            f"which parameter of `{function.name}` is the score?",
            f"{scores.why[:1].upper()}{scores.why[1:]}.",
            f'Say it: --scores {example} (or @surrogate(scores="{example}")).',
        )
    targets = options.targets or tuple(p for p in parameters if p not in scores)
    direction = options.direction or names.find_direction(function.name)
    return Metric(function, tuple(scores), targets, direction, options.returns)


def _top_level(body: object) -> Iterator[cst.BaseStatement]:
    """Statements that run at import: also those inside `if`, `try` and `with`."""
    for statement in body:  # type: ignore[attr-defined]
        yield statement
        if isinstance(statement, (cst.If, cst.Try, cst.With)):
            for inner in statement.children:
                block = getattr(inner, "body", inner)
                block = getattr(block, "body", block)
                if isinstance(block, (list, tuple)):
                    yield from _top_level([s for s in block if isinstance(s, cst.BaseStatement)])


def _imported(statement: cst.BaseStatement) -> Iterator[tuple[str, str]]:
    for small in getattr(statement, "body", ()) if isinstance(statement, cst.SimpleStatementLine) else ():
        if isinstance(small, cst.Import):
            for alias in small.names:
                full = dotted(alias.name)
                name = alias.asname.name.value if alias.asname else full.split(".")[0]  # type: ignore[union-attr]
                yield name, full if alias.asname else name
        elif isinstance(small, cst.ImportFrom) and not isinstance(small.names, cst.ImportStar):
            module = "." * len(small.relative) + (dotted(small.module) if small.module else "")
            for alias in small.names:
                name = alias.asname.name.value if alias.asname else dotted(alias.name)  # type: ignore[union-attr]
                yield name, f"{module}.{dotted(alias.name)}"


def dotted(node: cst.CSTNode) -> str:
    """The dotted text of a Name or Attribute chain."""
    if isinstance(node, cst.Attribute):
        return f"{dotted(node.value)}.{node.attr.value}"
    return node.value if isinstance(node, cst.Name) else ""


def bound_names(statement: cst.CSTNode) -> tuple[str, ...]:
    """The names a statement binds at its own level (not inside nested functions)."""
    if isinstance(statement, (cst.FunctionDef, cst.ClassDef)):
        return (statement.name.value,)
    if not isinstance(statement, cst.SimpleStatementLine):
        return ()
    found: list[str] = []
    for small in statement.body:
        if isinstance(small, cst.Assign):
            for target in small.targets:
                found.extend(target_names(target.target))
        elif isinstance(small, (cst.AnnAssign, cst.AugAssign)):
            found.extend(target_names(small.target))
        elif isinstance(small, (cst.Import, cst.ImportFrom)):
            found.extend(name for name, _ in _imported(statement.with_changes(body=[small])))
    return tuple(found)


def target_names(target: cst.CSTNode) -> tuple[str, ...]:
    """The plain names in an assignment target."""
    if isinstance(target, cst.Name):
        return (target.value,)
    if isinstance(target, (cst.Tuple, cst.List)):
        return tuple(name for element in target.elements for name in target_names(element.value))
    return target_names(target.value) if isinstance(target, cst.StarredElement) else ()


def called_names(node: cst.CSTNode) -> frozenset[str]:
    """The plain names called anywhere inside a node."""
    found: set[str] = set()
    stack: list[cst.CSTNode] = [node]
    while stack:
        at = stack.pop()
        if isinstance(at, cst.Call) and isinstance(at.func, cst.Name):
            found.add(at.func.value)
        stack.extend(at.children)
    return frozenset(found)

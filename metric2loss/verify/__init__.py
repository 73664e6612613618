"""Turns a generated module and the user's file into a certificate: a table of checks, and what a run decided."""

from __future__ import annotations

import functools
import hashlib
import importlib
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from metric2loss import inputs, names, writing
from metric2loss.diagnostics import Diagnostic, MetricError
from metric2loss.runtime import SurrogateLoss
from metric2loss.verify import batches, checks
from metric2loss.verify.batches import Batch

_ORIGIN = re.compile(r"`(?P<function>\w+)` \((?P<file>[^():`]+\.py):(?P<line>\d+)\)")
_DIGEST = re.compile(r"sha256:([0-9a-f]+)")


def verify(file: Path, source: Path | None, example: str | None, seed: int, returns: str | int | None = None) -> bool:
    """Prints one certificate a loss of the module; True when every check passed."""
    console = Console()
    text = writing.read_source(file)
    if not writing.is_generated(text):
        why = "Its docstring does not carry the mark of metric2loss."
        hint = "Give the module that `metric2loss compile` wrote, such as my_metric_loss.py."
        raise MetricError(Diagnostic("M2L112", None, f"{file} is not a generated module", why, hint))
    origin = source or _origin(file, text)
    console.print(
        f"Verifying [bold]{file}[/] against [bold]{origin}[/], which is imported and run here.", highlight=False
    )
    fresh = _is_fresh(console, text, origin)
    users, ours = import_file(origin), import_file(file)
    given = inputs.read_example(example) if example is not None else None
    results = [
        _certificate(console, loss, _picking(_metric_of(loss, users, text), returns), given, seed)
        for loss in losses(ours)
    ]
    return fresh and all(results)


def try_example(file: Path, example: inputs.Example) -> None:
    """Prints what only a run can tell about the losses of a module, on the user's batch."""
    console = Console()
    for loss in losses(import_file(file)):
        inputs.bind_to_loss(loss, example)
        criterion = inputs.try_on(loss, example)
        console.print(f"  [green bold]{loss.__name__}[/]  on the example", highlight=False)
        for label, value in _decided(criterion):
            console.print(f"    [dim]{label:<10}[/] {value}", highlight=False)


def import_file(path: Path) -> ModuleType:
    """The module of a file, imported the way its own package would import it."""
    path = path.resolve()
    root, parts = path.parent, [path.stem]
    while (root / "__init__.py").exists() and root.name.isidentifier():
        parts.insert(0, root.name)
        root = root.parent
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    name = ".".join(parts)
    sys.modules.pop(name, None)  # the file as it is now, not as something else has imported it, or another of its name
    try:
        return importlib.import_module(name)
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        hint = "Run it with Python to see the whole traceback."
        raise MetricError(Diagnostic("M2L102", None, f"cannot import {path.name}", why, hint)) from error


def losses(module: ModuleType) -> tuple[type[SurrogateLoss], ...]:
    """The loss classes a module defines, in order."""
    return tuple(
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, SurrogateLoss) and value.__module__ == module.__name__
    )


def _origin(file: Path, text: str) -> Path:
    """The user's file: the one the module's docstring names, beside it."""
    found = _ORIGIN.search(text)
    path = file.with_name(Path(found["file"]).name if found else file.name.replace("_loss.py", ".py"))
    if not path.exists():
        hint = f"Say where it is: metric2loss verify {file} --source PATH."
        why = f"{file.name} was generated from a file of that name, which does not lie beside it."
        raise MetricError(Diagnostic("M2L102", None, f"cannot find {path.name}", why, hint))
    return path


def _is_fresh(console: Console, text: str, origin: Path) -> bool:
    """Whether the module was generated from the user's file as it is now."""
    digest = hashlib.sha256(writing.read_source(origin).encode()).hexdigest()
    found = _DIGEST.search(text)
    if found is not None and digest.startswith(found[1]):
        return True
    why = "Its SHA-256 is not the one in the docstring of the module."
    hint = f"Compile again: metric2loss compile {origin}."
    stale = Diagnostic("M2L108", None, f"{origin.name} has changed since it was compiled", why, hint)
    console.print(f"{stale.render()}\n", style="red", markup=False, highlight=False, soft_wrap=True)
    return False


def _metric_of(loss: type[SurrogateLoss], users: ModuleType, text: str) -> Any:
    """The user's function behind a loss class."""
    for found in _ORIGIN.finditer(text):
        if names.class_name(found["function"]) == loss.__name__:
            metric = getattr(users, found["function"], None)
            if metric is not None:
                return metric
    why = f"{users.__name__} defines no function of which {loss.__name__} would be the loss."
    raise MetricError(Diagnostic("M2L108", None, f"the metric of {loss.__name__} is gone", why, "Compile again."))


def _picking(metric: Any, returns: str | int | None) -> Any:
    """The metric with one of its values picked, where the generated module no longer says which."""
    if returns is None:
        return metric

    @functools.wraps(metric)
    def picked(*args: Any, **kwargs: Any) -> Any:
        return metric(*args, **kwargs)[returns]

    return picked


def _certificate(
    console: Console, loss: type[SurrogateLoss], metric: Any, example: inputs.Example | None, seed: int
) -> bool:
    subjects = [checks.Subject(loss, metric, batch) for batch in _batches(loss, metric, example, seed)]
    results = [tuple(checks.check_all(subject, seed)) for subject in subjects]
    for subject, findings in zip(subjects, results, strict=True):
        console.print(Text.assemble("\n", (loss.__name__, "bold green"), f"  on {subject.batch.kind}"))
        console.print(_table(findings))
    failed = _failures(loss, subjects, results)
    for found in failed:
        console.print(f"\n{found.render()}", style="red", markup=False, highlight=False, soft_wrap=True)
    return not failed


_MARKS = {True: ("passed", "green"), False: ("FAILED", "bold red"), None: ("–", "dim")}


def _table(findings: Sequence[checks.Finding]) -> Table:
    grid = Table.grid(padding=(0, 2))
    for finding in findings:
        mark, style = _MARKS[finding.passed]
        grid.add_row(Text(f"  {mark}", style=style), Text(finding.check), Text(finding.detail))
    return grid


def _failures(
    loss: type[SurrogateLoss], subjects: Sequence[checks.Subject], results: Sequence[Sequence[checks.Finding]]
) -> list[Diagnostic]:
    """One diagnostic for each reason; the checks that failed for the same reason share it."""
    reasons: dict[tuple[str, str, str], list[str]] = {}
    for subject, findings in zip(subjects, results, strict=True):
        for finding in findings:
            if finding.passed is False:
                reason = finding.why or finding.detail, finding.hint, subject.batch.kind
                reasons.setdefault(reason, []).append(finding.check)
    return [
        Diagnostic("M2L508", None, f"{loss.__name__} on {kind}: {_listed(failed, len(results[0]))}", why, hint)
        for (why, hint, kind), failed in reasons.items()
    ]


def _listed(failed: Sequence[str], checked: int) -> str:
    return "every check failed" if len(failed) == checked else f"failed {', '.join(failed)}"


def _batches(loss: type[SurrogateLoss], metric: Any, example: inputs.Example | None, seed: int) -> Iterator[Batch]:
    if example is not None:
        yield Batch("the example", _as_arrays(inputs.bind(metric, example)), loss.scores)
        return

    def call(arguments: Mapping[str, Any]) -> float:
        return checks.call_metric(loss, metric, arguments)

    yield from batches.random_batches(metric, call, loss.scores, seed)


def _as_arrays(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.detach().cpu().numpy() if hasattr(value, "detach") else value for name, value in arguments.items()
    }


def _decided(criterion: SurrogateLoss) -> Iterator[tuple[str, str]]:
    yield "metric", f"{float(criterion.metric):.6g}"
    yield "best", f"{float(criterion.best_value):.6g} ({criterion.direction})"
    yield "binaries", f"{criterion.binaries:,}"
    yield "batching", str(criterion.batching)

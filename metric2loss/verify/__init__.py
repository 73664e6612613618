"""Turns a generated module and the user's file into a certificate: a table of checks, and what a run decided."""

from __future__ import annotations

import functools
import hashlib
import importlib
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from rich.console import Console
from rich.text import Text

from metric2loss import inputs, names, writing
from metric2loss.diagnostics import Diagnostic, MetricError
from metric2loss.runtime import SurrogateLoss, selfcheck
from metric2loss.verify import batches
from metric2loss.verify.batches import Batch
from metric2loss.verify.calls import call_metric, in_its_library
from metric2loss.verify.certificate import (
    Certificate,
    Checked,
    as_json,
    as_markdown,
    closing,
    environment,
    table,
)

_ORIGIN = re.compile(r"`(?P<function>\w+)` \((?P<file>[^():`]+\.py):(?P<line>\d+)\)")
_DIGEST = re.compile(r"sha256:([0-9a-f]+)")


def verify(
    file: Path,
    source: Path | None,
    example: str | None,
    seed: int,
    returns: str | int | None = None,
    certificate: Path | None = None,
) -> bool:
    """Prints one certificate a loss of the module, and writes them to a file; True when every check passed."""
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
    digest, fresh = _is_fresh(console, text, origin)
    users, ours = import_file(origin), import_file(file)
    given = inputs.read_example(example) if example is not None else None
    found = []
    for loss in losses(ours):
        place, metric = _metric_of(loss, users, text)
        blank = Certificate(loss.__name__, place, origin.name, digest, fresh, seed, environment(), ())
        found.append(_certified(console, blank, loss, _picking(metric, returns), given))
    if certificate is not None:
        written = as_json(tuple(found)) if certificate.suffix == ".json" else as_markdown(tuple(found))
        writing.write_all({certificate: written})
        console.print(f"\nwritten to {certificate}", highlight=False)
    return all(one.passed for one in found)


def try_example(file: Path, example: inputs.Example) -> None:
    """Prints what only a run can tell about the losses of a module, on the user's batch."""
    console = Console()
    failed: list[Diagnostic] = []
    for loss in losses(import_file(file)):
        inputs.bind_to_loss(loss, example)
        criterion = inputs.try_on(loss, example)
        console.print(f"  [green bold]{loss.__name__}[/]  on the example", highlight=False)
        for label, value in _decided(criterion):
            console.print(f"    [dim]{label:<10}[/] {value}", highlight=False)
        doubt = selfcheck.compiling(loss(), inputs.bind_to_loss(loss, example))
        if doubt is not None:
            failed.extend(doubt.diagnostics)
            continue
        console.print("    [dim]self-checks[/] passed", highlight=False)
    if failed:
        raise MetricError(failed)


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


def _is_fresh(console: Console, text: str, origin: Path) -> tuple[str, bool]:
    """The digest of the user's file as it is now, and whether the module was generated from it."""
    digest = hashlib.sha256(writing.read_source(origin).encode()).hexdigest()
    found = _DIGEST.search(text)
    if found is not None and digest.startswith(found[1]):
        return digest, True
    why = "Its SHA-256 is not the one in the docstring of the module."
    hint = f"Compile again: metric2loss compile {origin}."
    stale = Diagnostic("M2L108", None, f"{origin.name} has changed since it was compiled", why, hint)
    console.print(f"{stale.render()}\n", style="red", markup=False, highlight=False, soft_wrap=True)
    return digest, False


def _metric_of(loss: type[SurrogateLoss], users: ModuleType, text: str) -> tuple[str, Any]:
    """The user's function behind a loss class, and where it stands."""
    for found in _ORIGIN.finditer(text):
        if names.class_name(found["function"]) == loss.__name__:
            metric = getattr(users, found["function"], None)
            if metric is not None:
                return f"{found['function']} ({found['file']}:{found['line']})", metric
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


def _certified(
    console: Console, blank: Certificate, loss: type[SurrogateLoss], metric: Any, example: inputs.Example | None
) -> Certificate:
    checked: list[Checked] = []
    diagnostics: list[Diagnostic] = []
    for batch in _batches(loss, metric, example, blank.seed):
        one = _checked(loss, metric, batch, blank.seed)
        console.print(Text.assemble("\n", (loss.__name__, "bold green"), f"  on {batch.kind}"))
        console.print(table(one.findings))
        checked.append(one)
        diagnostics.extend(selfcheck.diagnostics_of(loss.__name__, one.findings, batch.kind))
    for found in diagnostics:
        console.print(f"\n{found.render()}", style="red", markup=False, highlight=False, soft_wrap=True)
    done = replace(blank, checked=tuple(checked), diagnostics=tuple(diagnostics))
    console.print(Text.assemble("\n", (loss.__name__, "bold green"), "  certificate"))
    for label, value in closing(done):
        style = "bold green" if done.passed else "bold red"
        console.print(Text.assemble((f"  {label:<12} ", "dim"), (value, style if label == "verdict" else "")))
    return done


def _checked(loss: type[SurrogateLoss], metric: Any, batch: Batch, seed: int) -> Checked:
    criterion = loss()
    arguments = in_its_library(loss, metric, batch.arguments)
    findings = selfcheck.self_check(criterion, arguments, metric=metric, seed=seed)
    try:
        binaries = len(criterion.record(**arguments).flat)
    except Exception:  # noqa: BLE001 - the findings say why
        binaries = 0
    asked = selfcheck.Amounts()
    shapes = {name: tuple(np.shape(arguments[name])) for name in batch.scores}
    return Checked(batch.kind, shapes, binaries, asked.moves, asked.configurations, findings)


def _batches(loss: type[SurrogateLoss], metric: Any, example: inputs.Example | None, seed: int) -> Iterator[Batch]:
    if example is not None:
        yield Batch("the example", _as_arrays(inputs.bind(metric, example)), loss.scores)
        return

    def call(arguments: Mapping[str, Any]) -> float:
        return call_metric(loss, metric, arguments)

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
    yield "credit", str(criterion.report()["credit"])

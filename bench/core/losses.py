"""Turns metrics into loss classes by running `metric2loss compile` as a user would, and names into criteria."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from bench.core.names import Compiled, Mixture, parse
from bench.core.task import Criterion, Task
from bench.rivals.losses import rival

ROOT = Path(__file__).resolve().parents[2]
METRICS = (ROOT / "examples" / "metrics", ROOT / "bench" / "metrics")  # no two files of the same name
BUILD = ROOT / "build" / "bench"


@dataclass(frozen=True)
class Compilation:
    """One run of the command line: what was typed and what it answered."""

    command: str
    output: str


def metric_file(metric: str) -> Path:
    """Where a metric of that name lies."""
    found = [folder / f"{metric}.py" for folder in METRICS if (folder / f"{metric}.py").exists()]
    if len(found) != 1:
        raise FileNotFoundError(f"{len(found)} files called {metric}.py in {' and '.join(map(str, METRICS))}")
    return found[0]


def compile_metrics(tasks: Sequence[Task]) -> Compilation:
    """Copy every metric of the tasks into build/bench and compile it there."""
    BUILD.mkdir(parents=True, exist_ok=True)
    copies = []
    for metric in dict.fromkeys(task.metric for task in tasks):  # two tasks may share one
        copy = BUILD / f"{metric}.py"
        shutil.copy(metric_file(metric), copy)
        copies.append(copy.relative_to(ROOT))
    files = [str(copy) for copy in copies]
    command = [sys.executable, "-m", "metric2loss", "compile", *files]
    answer = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if answer.returncode != 0:
        raise SystemExit(answer.stdout + answer.stderr)
    return Compilation(f"metric2loss compile {' '.join(files)}", answer.stdout.strip())


@cache
def load(path: Path) -> ModuleType:
    """Import a file by its path."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def metric_of(task: Task) -> Callable[..., Any]:
    """The user's own function: every number of the tables is its value."""
    return getattr(load(metric_file(task.metric)), task.function)  # type: ignore[no-any-return]


def class_of(task: Task) -> Any:
    """The one loss class of the module that `compile` wrote."""
    from metric2loss.runtime.loss import SurrogateLoss  # generated modules pay for it, hand-made losses do not

    module = load(BUILD / f"{task.metric}_loss.py")
    (found,) = (
        kind
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, SurrogateLoss) and kind.__module__ == module.__name__
    )
    return found


def criterion_of(task: Task, name: str, steps: int, seed: int, examples: int = 0) -> Criterion:
    """(network output, *targets) -> loss, for any name that `names.parse` knows, and for rivals; examples: to train on."""
    other = rival(task.key, name)
    if other is not None:
        return other.make(examples)
    meant = parse(task, name)
    if isinstance(meant, str):
        return task.handmade[meant](steps)
    surrogate = surrogate_of(task, meant.surrogate if isinstance(meant, Mixture) else meant, steps, seed)
    if isinstance(meant, Mixture):
        from metric2loss.runtime.mixing import Mixed

        primary = "pull" if meant.primary == "pull" else by_name(task, task.handmade[meant.primary](steps))
        return called(task, Mixed(primary, surrogate, meant.schedule))
    return called(task, surrogate)


def surrogate_of(task: Task, meant: Compiled, steps: int, seed: int) -> Any:
    generator = torch.Generator().manual_seed(seed)
    return class_of(task)(interpolant=meant.interpolant, total_steps=steps, generator=generator, **meant.options)


def called(task: Task, criterion: Callable[..., Tensor]) -> Criterion:
    """Positional arguments to the metric's own names, where the task gives them."""
    if not task.arguments:
        return criterion
    return lambda *given: criterion(**dict(zip(task.arguments, given, strict=True)))


def by_name(task: Task, criterion: Criterion) -> Criterion:
    """The inverse of `called`, for a hand-made loss inside a mixture."""
    if not task.arguments:
        return criterion
    return lambda **given: criterion(*(given[name] for name in task.arguments))

"""Turns the demo's metrics into loss classes by running `metric2loss compile` as a user would, and by importing the result."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from bench.demo.tasks import Task

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "demo"
HANDMADE = "hand-made"
LOSSES = (HANDMADE, "integrated", "idw", "pull")


@dataclass(frozen=True)
class Compilation:
    """One run of the command line: what was typed and what it answered."""

    command: str
    output: str


def compile_metrics(tasks: Sequence[Task]) -> list[Compilation]:
    """Copy each metric into build/demo and compile it there."""
    BUILD.mkdir(parents=True, exist_ok=True)
    compilations = []
    for task in {task.metric: task for task in tasks}.values():  # two tasks may share a metric
        copy = BUILD / f"{task.metric}.py"
        shutil.copy(ROOT / "examples" / "metrics" / copy.name, copy)
        generated(task).unlink(missing_ok=True)
        command = [sys.executable, "-m", "metric2loss", "compile", str(copy.relative_to(ROOT))]
        answer = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
        if answer.returncode != 0:
            raise SystemExit(answer.stdout + answer.stderr)
        compilations.append(Compilation(f"metric2loss compile {copy.relative_to(ROOT)}", answer.stdout.strip()))
    return compilations


def generated(task: Task) -> Path:
    """The module that `compile` writes for a task."""
    return BUILD / f"{task.metric}_loss.py"


def load(path: Path) -> ModuleType:
    """Import a file by its path."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def metric_of(task: Task) -> Callable[..., Any]:
    """The user's own function: every number of the demo's table is its value on the test data."""
    return getattr(load(ROOT / "examples" / "metrics" / f"{task.metric}.py"), task.function)  # type: ignore[no-any-return]


def loss_of(task: Task, name: str, steps: int, seed: int) -> Callable[..., Tensor]:
    """The hand-made loss, or the compiled one with the interpolant called `name`."""
    if name == HANDMADE:
        return task.handmade
    loss_class = getattr(load(generated(task)), task.loss_class)
    generator = torch.Generator().manual_seed(seed)
    return loss_class(interpolant=name, total_steps=steps, generator=generator)  # type: ignore[no-any-return]

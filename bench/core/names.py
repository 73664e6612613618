"""The names of losses: hand-made ones of the task, compiled ones by interpolant and encoding, and mixtures of the two."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bench.core.task import Task
from bench.core.unknown import UnknownName

# name -> (interpolant, its options)
INTERPOLANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "integrated": ("integrated", {}),
    "idw": ("idw", {"anchors": 16, "power": 1.0}),  # as published: 16 good, 16 bad, 16 near, power 1
    "idw-fifth": ("idw", {"anchors": 16, "power": 1.0, "share": 0.2}),  # as published for CIFAR-100
    "pull": ("pull", {}),
    "multilinear": ("multilinear", {}),
    "direct": ("direct", {}),
    "relational": ("relational", {}),
    "relational-value": ("relational", {"fit": "value"}),
}
ENCODINGS = ("margin-lse", "margin")  # the longer first: the other is its beginning
SCHEDULES = ("equal", "late", "gradual")
EXPECTATION = "el"  # the expectation loss 1 - p(y|x): short for direct-margin-lse


@dataclass(frozen=True)
class Compiled:
    """A loss class of the compiled metric, and how it is called."""

    interpolant: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Mixture:
    """PRIMARY+SURROGATE-SCHEDULE: a hand-made loss (or `pull`) and a compiled one."""

    primary: str
    surrogate: Compiled
    schedule: str


def parse(task: Task, name: str) -> str | Compiled | Mixture:
    """What a name stands for; a string is a hand-made loss of the task."""
    if name in task.handmade:
        return name
    primary, plus, rest = name.partition("+")
    if plus:
        surrogate, _, schedule = rest.rpartition("-")
        if (primary in task.handmade or primary == "pull") and schedule in SCHEDULES:
            short = "direct-margin-lse" if surrogate == EXPECTATION else surrogate
            return Mixture(primary, compiled(task, short, name), schedule)
        raise unknown(task, name)
    return compiled(task, name, name)


def compiled(task: Task, name: str, whole: str) -> Compiled:
    """INTERPOLANT or INTERPOLANT-ENCODING."""
    for encoding in ENCODINGS:
        if name.endswith(f"-{encoding}"):
            stem, chosen = name.removesuffix(f"-{encoding}"), {"encoding": encoding}
            break
    else:
        stem, chosen = name, {}
    if stem not in INTERPOLANTS:
        raise unknown(task, whole)
    interpolant, options = INTERPOLANTS[stem]
    return Compiled(interpolant, {**task.options, **options, **chosen})


def unknown(task: Task, name: str) -> UnknownName:
    known = [*task.handmade, *INTERPOLANTS, "integrated-margin", "integrated-margin-lse", "direct-margin-lse"]
    mixed = [f"{first}+el-{schedule}" for first in list(task.handmade)[:1] for schedule in SCHEDULES]
    return UnknownName(f"loss for {task.key}", name, [*known, *mixed])

"""What every own-code metric has to pass: metric == record == replay, and the binaries of other scores give their metric."""

from __future__ import annotations

import ast
import contextlib
import importlib.machinery
import importlib.util
import io
import math
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from metric2loss.compiler import Compiled, Options, compile_text
from metric2loss.diagnostics import MetricError
from metric2loss.runtime import steps
from metric2loss.runtime.arrays import Array
from metric2loss.runtime.batched import Unbatchable
from metric2loss.runtime.tape import leaves

METRICS = Path(__file__).parent / "metrics"
KINDS = ("floats", "ties", "one_row", "all_equal")
SCORES = frozenset({"scores", "logits", "query_scores", "estimates", "maps", "pos_scores", "neg_scores"})
Inputs = dict[str, Any]

# parameter → an array of n rows
MAKERS: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "scores": lambda rng, n: rng.random(n),
    "labels": lambda rng, n: (rng.random(n) < 0.5).astype(int),
    "steps": lambda rng, n: rng.integers(0, 2, n),
    "gains": lambda rng, n: rng.integers(0, 4, n),
    "ratings": lambda rng, n: rng.integers(0, 4, n),
    "estimates": lambda rng, n: 3.5 * rng.random(n),
    "logits": lambda rng, n: rng.random((n, 4)),
    "target": lambda rng, n: rng.integers(0, 4, n),
    "query_scores": lambda rng, n: rng.random((n, 5)),
    "relevance": lambda rng, n: rng.integers(0, 3, (n, 5)),
    "maps": lambda rng, n: rng.random((n, 2, 3)),
    "points": lambda rng, n: rng.integers(0, 6, n),
    "targets": lambda rng, n: (rng.random(n) < 0.5).astype(int),
    "pos_scores": lambda rng, n: rng.random(n),
    "neg_scores": lambda rng, n: rng.random(n),
}


@dataclass(frozen=True)
class Case:
    """One metric of a file of metrics/."""

    path: Path
    name: str
    parameters: tuple[str, ...]
    variadic: str | None

    @property
    def id(self) -> str:
        return f"{self.path.stem}-{self.name}"

    @property
    def scores(self) -> tuple[str, ...]:
        return tuple(p for p in self.parameters if p in SCORES)

    @property
    def torch(self) -> bool:
        return self.path.stem.startswith("torch")

    def compiled(self, **options: Any) -> Compiled:
        return compile_text(
            self.path.read_text(), str(self.path), Options(self.name, self.scores, direction="maximize", **options)
        )

    def batch(self, kind: str, seed: int, n: int = 9) -> Inputs:
        """Scores that are floats, small multiples of 0.25 (which meet the thresholds), one row, or all equal."""
        rng = np.random.default_rng(seed)
        n = 1 if kind == "one_row" else n
        made = {p: MAKERS[p](rng, n) for p in self.parameters if p in MAKERS}
        for name in self.scores:
            if kind == "ties":
                made[name] = np.round(made[name] * 4) / 4
            elif kind == "all_equal":
                made[name] = np.full_like(made[name], 0.5)
        return {k: self.native(v) for k, v in made.items()}

    def native(self, x: np.ndarray) -> Any:
        return torch.from_numpy(x) if self.torch else x

    def permuted(self, inputs: Inputs, seed: int) -> Inputs:
        rng = np.random.default_rng(seed)
        flat = {k: np.asarray(inputs[k]).reshape(-1) for k in self.scores}
        return inputs | {k: self.native(rng.permutation(v).reshape(inputs[k].shape)) for k, v in flat.items()}


def cases() -> list[Case]:
    found = []
    for path in sorted(METRICS.glob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                names = [a.arg for a in (*node.args.args, *node.args.kwonlyargs)]
                star = node.args.vararg.arg if node.args.vararg else None
                found.append(Case(path, node.name, tuple(names), star))
    return found


@cache
def user_module(path: Path) -> ModuleType:
    return imported(path.read_text(), f"stress_{path.stem}", str(path))


def imported(text: str, name: str, origin: str = "generated") -> ModuleType:
    module = importlib.util.module_from_spec(importlib.machinery.ModuleSpec(name, None, origin=origin))
    sys.modules[name] = module
    exec(compile(text, f"<{name}>", "exec"), module.__dict__)  # noqa: S102 - the text under test
    return module


def plain(value: Any) -> Any:
    return value.detach() if isinstance(value, torch.Tensor) else value


def metric_value(case: Case, inputs: Inputs, returns: Any = None) -> float:
    function = getattr(user_module(case.path), case.name)
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value = function(*arguments(case, inputs)[0], **arguments(case, inputs)[1])
    value = value if returns is None else value[returns]
    return float(np.mean(value)) if isinstance(value, np.ndarray) else float(value)


def arguments(case: Case, inputs: Inputs) -> tuple[list[Any], Inputs]:
    """Positional and named arguments; `*targets` gets two arrays."""
    if case.variadic is None:
        return [], inputs
    first = next(iter(inputs.values()))
    rng = np.random.default_rng(len(first))
    return [*inputs.values(), *(MAKERS["labels"](rng, len(first)) for _ in range(2))], {}


def close(a: float, b: float) -> bool:
    return (math.isnan(a) and math.isnan(b)) or abs(a - b) <= 1e-6 * max(1.0, abs(b))


def with_gradients(case: Case, inputs: Inputs) -> Inputs:
    """What a training loop passes."""
    changed = dict(inputs)
    for name in case.scores:
        changed[name] = torch.as_tensor(inputs[name]).clone().requires_grad_()
    return changed


def check(case: Case, returns: Any = None) -> Compiled:
    """Raises AssertionError where the generated loss is not the user's metric."""
    compiled = case.compiled(returns=returns)
    module = imported(compiled.text, f"stress_{case.path.stem}_{case.name}_loss")
    criterion = getattr(module, compiled.metrics[0].class_name)()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for kind in KINDS:
            for seed in (0, 1):
                _agrees(case, criterion, kind, seed, returns)
        _trains(case, criterion)
    return compiled


def _agrees(case: Case, criterion: Any, kind: str, seed: int, returns: Any) -> None:
    inputs = case.batch(kind, seed)
    try:
        want = metric_value(case, inputs, returns)
    except (IndexError, ValueError, ZeroDivisionError):
        return  # not for this batch, says the user's own function
    there = case.permuted(inputs, seed + 7)
    with contextlib.redirect_stdout(io.StringIO()):
        args, named = arguments(case, with_gradients(case, inputs))
        recorded = criterion.record(*args, **named)
        flat = np.asarray(recorded.flat).astype(int)
        got = float(criterion.replay(recorded.with_flat(flat), *args, **named))
        assert close(got, want), f"{kind} {seed}: replayed {got}, metric {want}"
        elsewhere = criterion.record(
            *arguments(case, with_gradients(case, there))[0], **arguments(case, with_gradients(case, there))[1]
        )
        mixed = criterion.mixed
        if not mixed:
            swapped = float(criterion.replay(elsewhere, *args, **named))
            wanted = metric_value(case, there, returns)
            assert close(swapped, wanted), f"{kind} {seed}: SWAP gives {swapped}, metric {wanted}"


def _trains(case: Case, criterion: Any) -> None:
    given = with_gradients(case, case.batch("floats", 3))
    with contextlib.redirect_stdout(io.StringIO()):
        args, named = arguments(case, given)
        loss = criterion(*args, **named)
    loss.backward()
    assert math.isfinite(float(loss.detach()))
    gradients = [given[name].grad for name in case.scores]
    assert all(g is None or torch.isfinite(g).all() for g in gradients)


def check_lowered(case: Case, compiled: Compiled, returns: Any = None) -> None:
    """The one-function form under the two readings agrees with the metric and with f and g."""
    source = case.path.read_text()
    lowered = imported(
        f"{source}\n\nfrom metric2loss.runtime import steps\nfrom metric2loss.runtime import steps as loss_steps\n\n{compiled.dump('lowered')}",
        f"lowered_{case.name}",
    )
    function = getattr(lowered, case.name)
    mixed = "mixed = True" in compiled.text

    def pick(value: Any) -> float:
        several = isinstance(value, (tuple, dict))
        one = exact(value[returns] if several else value)
        return float(np.mean(one)) if isinstance(one, np.ndarray) else float(one)

    for kind in KINDS:
        inputs = case.batch(kind, 0)
        there = case.permuted(inputs, 7)
        args, named = arguments(case, active(case, inputs))
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                want, wanted = metric_value(case, inputs, returns), metric_value(case, there, returns)
            except (IndexError, ValueError, ZeroDivisionError):
                continue
            with steps.record() as tape:
                try:
                    got = pick(function(*args, **named))
                except Unbatchable:
                    return  # `out=` is an array of plain numbers
                except MetricError as error:
                    assert [d.code for d in error.diagnostics] == ["M2L302"], error
                    return  # `float(score)`: a plain value is asked for before the step
            assert close(got, want), f"{kind}: lowered records {got}, metric {want}"
            assert kind == "one_row" or any(True for _ in leaves(tape))
            if mixed:
                continue
            with steps.record() as other:
                function(*arguments(case, active(case, there))[0], **arguments(case, active(case, there))[1])
            with steps.replay(other):
                swapped = pick(function(*args, **named))
            assert close(swapped, wanted), f"{kind}: lowered SWAP gives {swapped}, metric {wanted}"


def exact(value: Any) -> Any:
    return value.exact if isinstance(value, Array) else plain(value)


def active(case: Case, inputs: Inputs) -> Inputs:
    """Scores as f sees them: tensors that require grad, for NumPy metrics beside the exact ndarray."""
    changed = dict(inputs)
    for name in case.scores:
        tensor = torch.as_tensor(inputs[name]).clone().requires_grad_()
        changed[name] = tensor if case.torch else Array(np.array(inputs[name]), tensor)
    return changed

"""Every example metric, compiled as a user would: exact, swapped, best, degenerate – with nothing but the generated module."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import math
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from metric2loss.compiler import compile_text
from metric2loss.diagnostics import MetricError
from tests.examples.data import ORDINARY, Example, Inputs, examples, named

ALL = [pytest.param(e, id=e.name) for e in examples()]
BATCHES = [pytest.param(e, kind, id=f"{e.name}-{kind}") for e in examples() for kind in ORDINARY]
DEGENERATE = [pytest.param(e, k, id=f"{e.name}-{k}") for e in examples() for k in e.kinds() if k not in ORDINARY]


def loss_class(example: Example) -> Any:
    """The class of the generated module, imported from its text alone: the user's file is not needed any more."""
    return generated(example.name)


@cache
def generated(stem: str) -> Any:
    example = named(stem)
    compiled = compile_text(example.path.read_text(), str(example.path))
    folder = Path(__file__).parent
    name = f"generated_{example.name}_loss"
    module = importlib.util.module_from_spec(importlib.machinery.ModuleSpec(name, None, origin=str(folder)))
    sys.modules[name] = module
    exec(compile(compiled.text, f"<{name}>", "exec"), module.__dict__)  # noqa: S102 - the text under test
    return getattr(module, compiled.metrics[0].class_name)


def tensors(example: Example, inputs: Inputs) -> Inputs:
    """What a training loop passes: scores as a tensor that requires grad, everything else as it is."""
    scores = inputs[example.scores]
    tensor = scores.clone() if isinstance(scores, torch.Tensor) else torch.tensor(np.asarray(scores))
    return inputs | {example.scores: tensor.requires_grad_() if tensor.is_floating_point() else tensor}


def value(example: Example, inputs: Inputs) -> float:
    return float(example.metric(**inputs))


def close(a: float, b: float) -> bool:
    return (math.isnan(a) and math.isnan(b)) or abs(a - b) <= 1e-6 * max(1.0, abs(b))


@pytest.mark.parametrize(("example", "kind"), BATCHES)
@pytest.mark.parametrize("seed", [0, 1])
def test_metric_record_and_replay_agree(example: Example, kind: str, seed: int) -> None:
    criterion = loss_class(example)()
    inputs = example.batch(kind, seed)
    want = value(example, inputs)
    given = tensors(example, inputs)
    configuration = criterion.record(**given)
    flat = configuration.with_flat(np.asarray(configuration.flat).astype(int))
    loss = criterion(**given)
    assert close(float(criterion.replay(flat, **given)), want)
    assert close(float(criterion.metric), want)
    assert math.isfinite(float(loss.detach())) and float(loss.detach()) >= 0


@pytest.mark.parametrize(
    ("example", "kind"), [pytest.param(e, k, id=f"{e.name}-{k}") for e in examples() for k in ("floats", "ties")]
)
def test_binaries_of_other_scores_give_the_metric_of_those_scores(example: Example, kind: str) -> None:
    criterion = loss_class(example)()
    here, there = example.batch(kind, 0), example.batch(kind, 0)
    scores = there[example.scores]
    rng = np.random.default_rng(5)
    shuffled = rng.permutation(np.asarray(scores).reshape(-1)).reshape(np.shape(scores))
    there = there | {example.scores: torch.from_numpy(shuffled) if isinstance(scores, torch.Tensor) else shuffled}
    configuration = criterion.record(**tensors(example, there))
    got = criterion.replay(configuration.with_flat(configuration.flat), **tensors(example, here))
    assert close(float(got), value(example, there))


@pytest.mark.parametrize("example", ALL)
def test_the_binaries_are_as_few_as_the_paper_counts(example: Example) -> None:
    if example.binaries is None:
        pytest.skip("no count is claimed for this metric")
    criterion, inputs = loss_class(example)(), example.batch("floats", 0)
    criterion(**tensors(example, inputs))
    assert criterion.binaries == example.binaries(inputs)


@pytest.mark.parametrize("example", ALL)
def test_the_best_configuration_has_the_best_value(example: Example) -> None:
    criterion = loss_class(example)()
    for seed in range(2):
        criterion(**tensors(example, example.batch("floats", seed)))
        perfect = value(example, example.perfect(seed))
        assert (
            close(float(criterion.best_value), perfect)
            or (float(criterion.best_value) - perfect) * (1 if example.direction == "maximize" else -1) > 0
        )


@pytest.mark.parametrize("example", ALL)
def test_the_gradient_is_finite_and_not_zero_before_the_best(example: Example) -> None:
    criterion = loss_class(example)()
    for interpolant in ("integrated", "idw", "pull"):
        criterion = loss_class(example)(interpolant=interpolant, generator=torch.Generator().manual_seed(0))
        given = tensors(example, example.batch("floats", 3))
        criterion(**given).backward()
        gradient = given[example.scores].grad
        assert criterion.report()["left to run-time dispatch"] == 0
        assert torch.isfinite(gradient).all()
        assert gradient.abs().max() > 0 or close(float(criterion.metric), criterion.best_value)


@pytest.mark.parametrize(("example", "kind"), DEGENERATE)
@pytest.mark.parametrize("interpolant", ["integrated", "idw"])
def test_a_degenerate_batch_gives_a_finite_value_or_a_named_error(
    example: Example, kind: str, interpolant: str
) -> None:
    criterion = loss_class(example)(interpolant=interpolant)
    given = tensors(example, example.batch(kind, 0))
    try:
        loss = criterion(**given)
    except MetricError as error:
        assert all(d.code.startswith("M2L5") for d in error.diagnostics)
        return
    loss.backward()
    assert math.isfinite(float(loss.detach()))
    gradient = given[example.scores].grad
    assert gradient is None or torch.isfinite(gradient).all()

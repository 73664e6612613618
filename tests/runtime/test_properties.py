"""What every loss of an example metric keeps, whatever the scores: finiteness, vanishing at the best, symmetries, no plateau."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from metric2loss.runtime.interpolants import Idw
from tests.examples.data import Example, Inputs, examples, named
from tests.test_examples import loss_class, tensors

ALL = [pytest.param(e, id=e.name) for e in examples()]
# compare scores with constants
THRESHOLDS = {"f1_threshold", "f1_torch", "f_beta", "dice_torch", "qwk", "jaccard_torch", "mcc", "subset_accuracy"}
# have binaries that decide nothing at the best
MANY = {"macro_f1", "balanced_accuracy", "mean_iou", "precision_at_k", "abstention", "lrap"}
PROBABILITIES = {"f1_threshold", "expected_cost"}
CLOSED = {"accuracy", "accuracy_torch", "pckh"}  # credit without drawing
# a threshold takes part
ANCHORED = {"average_precision", "average_precision_torch", "roc_auc", "roc_auc_torch", "ks_statistic"}
FAST = settings(max_examples=5, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


def loss(example: Example, interpolant: str = "integrated", **options: Any) -> Any:
    return loss_class(example)(interpolant, generator=torch.Generator().manual_seed(0), **options)


def seeded(example: Example, seed: int) -> Any:
    """A loss that remembers no batch."""
    return loss_class(example)(generator=torch.Generator().manual_seed(seed))


def ordinary(example: Example) -> Inputs:
    return example.batch("floats", 0)


def with_scores(example: Example, scores: np.ndarray) -> Inputs:
    inputs = ordinary(example)
    like = inputs[example.scores]
    return inputs | {example.scores: torch.from_numpy(scores) if isinstance(like, torch.Tensor) else scores}


def run(criterion: Any, example: Example, inputs: Inputs) -> tuple[float, torch.Tensor]:
    """Value and gradient."""
    given_ = tensors(example, inputs)
    value = criterion(**given_)
    value.backward()
    return float(value.detach()), given_[example.scores].grad


@st.composite
def finite_scores(draw: Any, example: Example) -> np.ndarray:
    """Any finite scores (probabilities where the metric wants them), ties more often than not."""
    shape = tuple(np.shape(ordinary(example)[example.scores]))
    # every integer met is a threshold: ratings stay in a range that a rating can have
    low, high = (0, 1) if example.name in PROBABILITIES else (-9, 9) if example.name == "qwk" else (-1e3, 1e3)
    return draw(arrays(np.float64, shape, elements=st.floats(low, high), fill=st.floats(low, high)))


@pytest.mark.parametrize("example", ALL)
def test_value_and_gradient_are_finite_on_any_finite_scores(example):
    criteria = [loss(example, interpolant) for interpolant in ("integrated", "idw")]

    @FAST
    @given(finite_scores(example))
    def check(scores):
        inputs = with_scores(example, scores)
        for criterion in criteria:
            value, gradient = run(criterion, example, inputs)
            assert math.isfinite(value) and value >= 0 and bool(torch.isfinite(gradient).all())

    check()


@pytest.mark.parametrize("example", ALL)
def test_value_and_gradient_are_finite_at_the_edges(example):
    """Tied, constant, far apart and huge scores; targets of one class, or none."""
    criterion = loss(example)
    edges = [example.batch(kind, 0) for kind in example.kinds() if kind not in ("floats", "nan", "infinite", "empty")]
    if example.name not in PROBABILITIES | {"qwk"}:
        scores = ordinary(example)[example.scores]
        edges += [ordinary(example) | {example.scores: scores * scale} for scale in (0.0, 1e30)]
    for inputs in edges:
        value, gradient = run(criterion, example, inputs)
        assert math.isfinite(value) and value >= 0 and bool(torch.isfinite(gradient).all())


@pytest.mark.parametrize("example", ALL)
@pytest.mark.parametrize("interpolant", ["integrated", "idw", "pull", "multilinear"])
def test_the_gradient_vanishes_as_the_margins_of_a_best_configuration_grow(example, interpolant):
    """Margins grow as the temperature falls: c / τ."""
    if example.name in PROBABILITIES:
        pytest.skip("differences of probabilities are logits, which are clamped")
    norms = []
    for temperature in (1.0, 0.02):
        criterion = loss(example, interpolant, temperature=temperature)
        _, gradient = run(criterion, example, best(example))
        norms.append(float(gradient.norm()))
    assert norms[1] <= 1e-6 + 1e-3 * norms[0]


def best(example: Example) -> Inputs:
    """Scores with a margin on every binary: no ties between wrong classes, all pixels inside the radius beat all others."""
    inputs = example.perfect(0)
    if example.name in MANY:
        scores = np.asarray(inputs[example.scores])
        places = np.arange(scores.shape[1]).reshape(1, -1, *[1] * (scores.ndim - 2))
        return inputs | {example.scores: 20 * scores - places}
    if example.name != "pckh":
        return inputs
    rows, columns = np.indices(inputs["heatmaps"].shape[2:])
    x, y = (inputs["joints"][..., k, None, None] for k in range(2))
    inside = np.hypot(columns - x, rows - y) <= 0.5 * inputs["head_sizes"][:, None, None, None]
    return inputs | {"heatmaps": inside.astype(float)}


@pytest.mark.parametrize("example", ALL)
def test_anchors_of_equal_value_have_no_gradient(example):
    kind = loss_class(example)
    body: dict[str, Any] = {"g": lambda self, binaries: 0.5, "direction": example.direction}
    if hasattr(kind, "rows"):
        body["rows"] = property(lambda self: self.no_rows)
    criterion = type("Constant", (kind,), body)("idw", generator=torch.Generator().manual_seed(0))
    _, gradient = run(criterion, example, ordinary(example))
    assert isinstance(criterion._interpolant, Idw) and not bool(gradient.abs().gt(1e-12).any())


@pytest.mark.parametrize("example", ALL)
def test_the_order_of_the_examples_does_not_matter(example):
    first, second = loss(example), loss(example)

    @FAST
    @given(st.integers(0, 10**6))
    def check(seed):
        inputs = example.batch("floats", seed)
        n = len(inputs[example.scores])
        turn = np.random.default_rng(seed).permutation(n)
        turned = {name: _turned(value, turn, n) for name, value in inputs.items()}
        values = [run(first, example, inputs)[0], run(second, example, turned)[0]]
        assert values[0] == pytest.approx(values[1], rel=1e-6, abs=1e-9)
        assert float(first.metric) == pytest.approx(float(second.metric), rel=1e-6, abs=1e-9)
        assert first.binaries == second.binaries
        here, there = (sorted(x.record(**tensors(example, i)).flat) for x, i in ((first, inputs), (second, turned)))
        if example.name not in ("pairwise_accuracy", "macro_f1", "balanced_accuracy", "mean_iou", "roc_auc_torch"):
            assert here == there  # the others orient a pair by the places of its items

    check()


@pytest.mark.parametrize("example", [e for e in examples() if e.name in CLOSED], ids=lambda e: e.name)
def test_the_gradient_of_a_closed_form_goes_with_the_examples(example):
    @FAST
    @given(st.integers(0, 10**6))
    def check(seed):
        inputs = example.batch("ties" if seed % 2 else "floats", seed)
        n = len(inputs[example.scores])
        turn = np.random.default_rng(seed).permutation(n)
        turned = {name: _turned(value, turn, n) for name, value in inputs.items()}
        here, there = (run(loss(example), example, batch)[1] for batch in (inputs, turned))
        assert torch.allclose(here[torch.from_numpy(turn)], there, rtol=1e-6, atol=1e-9 * float(here.abs().max()))

    check()


@pytest.mark.parametrize("name", ["average_precision", "f1_threshold"])
def test_the_gradient_of_drawn_flips_goes_with_the_examples_on_average(name):
    example = named(name)
    inputs = example.batch("floats", 1)
    n = len(inputs[example.scores])
    turn = np.random.default_rng(0).permutation(n)
    turned = {key: _turned(value, turn, n) for key, value in inputs.items()}
    draws = [
        torch.stack([run(seeded(example, seed), example, batch)[1] for seed in range(first, first + 40)])
        for first, batch in ((0, inputs), (100, turned))
    ]
    here, there = draws[0][:, torch.from_numpy(turn)], draws[1]
    error = (here.var(0) / len(here) + there.var(0) / len(there)).sqrt()
    apart = (here.mean(0) - there.mean(0)).abs()
    assert bool((apart <= 5 * error + 1e-9).all())


def _turned(value: Any, turn: np.ndarray, n: int) -> Any:
    if isinstance(value, (np.ndarray, torch.Tensor)) and value.ndim and len(value) == n:
        return value[turn]
    return [value[k] for k in turn] if isinstance(value, list) and len(value) == n else value


@pytest.mark.parametrize(
    "example", [e for e in examples() if e.name not in THRESHOLDS | PROBABILITIES], ids=lambda e: e.name
)
def test_a_constant_added_to_all_scores_changes_no_binary(example):
    criterion = loss(example)

    @FAST
    @given(st.integers(0, 10**6), st.sampled_from([-16.0, -0.5, 0.25, 8.0]))
    def check(seed, constant):
        inputs = example.batch("floats", seed)
        moved = inputs | {example.scores: inputs[example.scores] + constant}
        first, second = (criterion.record(**tensors(example, i)).flat for i in (inputs, moved))
        assert np.array_equal(first, second)
        run(criterion, example, inputs)
        metric = float(criterion.metric)
        run(criterion, example, moved)
        assert float(criterion.metric) == pytest.approx(metric)
        if example.name not in ANCHORED:
            here, there = (run(loss(example), example, batch)[1] for batch in (inputs, moved))
            assert torch.allclose(here, there, rtol=1e-4, atol=1e-6 * float(here.abs().max()))

    check()


@pytest.mark.parametrize("example", ALL)
@pytest.mark.parametrize("progress", [0.0, 0.5, 1.0])
def test_no_plateau_where_the_metric_is_not_at_its_best(example, progress):
    criterion = loss(example)
    criterion.progress = progress

    @FAST
    @given(st.integers(0, 10**6), st.sampled_from([0.01, 1.0, 5.0]))
    def check(seed, scale):
        inputs = example.batch("floats", seed)
        if example.name not in PROBABILITIES | {"qwk"}:
            inputs = inputs | {example.scores: inputs[example.scores] * scale}
        _, gradient = run(criterion, example, inputs)
        if abs(float(criterion.metric) - criterion.best_value) > 1e-9:
            assert float(gradient.abs().max()) > 1e-8

    check()

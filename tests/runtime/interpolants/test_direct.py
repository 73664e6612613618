"""g itself at relaxed binaries: the mean of every step, and refusals that say what was seen."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from metric2loss.diagnostics import MetricError
from metric2loss.runtime import SurrogateLoss, steps
from tests.runtime.hand_written import CASES


def written(differences, remainder):
    """The loss of a metric given by its two functions."""

    class Loss(SurrogateLoss):
        direction, scores, library = "maximize", ("scores",), "torch"

        def f(self, scores, labels):
            return differences(scores, labels)

        def g(self, binaries, labels):
            return remainder(binaries, labels)

    return Loss("direct")


def compare(op):
    return lambda scores, labels: steps.compare.differences(scores, op, 0.25)


SCORES = torch.tensor([0.9, -0.3, 1.7, -2.0, 0.1], dtype=torch.double)
LABELS = torch.tensor([1.0, 0.0, 1.0, 0.0, 1.0], dtype=torch.double)
U = torch.sigmoid(SCORES - 0.25)

STEPS = {
    ">": (compare(">"), lambda b, y: (steps.compare.result(b) * y).sum(), U @ LABELS),
    "<=": (compare("<="), lambda b, y: (steps.compare.result(b) * y).sum(), (1 - U) @ LABELS),
    ">=": (compare(">="), lambda b, y: (steps.compare.result(b) * y).sum(), U @ LABELS),
    "<": (compare("<"), lambda b, y: (steps.compare.result(b) * y).sum(), (1 - U) @ LABELS),
    "sign": (
        lambda s, y: steps.sign.differences(s),
        lambda b, y: (steps.sign.result(b) * y).sum(),
        (2 * torch.sigmoid(SCORES) - 1) @ LABELS,
    ),
    "floor": (
        lambda s, y: steps.rounding.differences(s, using="floor"),
        lambda b, y: (steps.rounding.result(b) * y).sum(),
        None,
    ),
}


@pytest.mark.parametrize("name", STEPS)
def test_every_step_returns_its_mean(name):
    differences, remainder, expected = STEPS[name]
    loss = written(differences, remainder)
    scores = SCORES.clone().requires_grad_()
    value = loss(scores, LABELS)
    value.backward()
    assert bool(scores.grad[LABELS == 1].all())
    if expected is not None:
        assert float(value.detach()) == pytest.approx(abs(loss.best_value - float(expected)))


@pytest.mark.parametrize("name", ["accuracy", "accuracy_torch", "pck", "separation", "mean_reciprocal_rank"])
def test_value_and_gradient_are_autograds(name):
    case = CASES[name]
    arguments = case.arguments(np.random.default_rng(0), "random")
    loss = case.loss("direct")
    scores = torch.as_tensor(arguments[0]).clone().double()
    assert torch.autograd.gradcheck(
        lambda s: loss(s, *arguments[1:]), scores.requires_grad_(), atol=1e-3, rtol=1e-2, eps=1e-4
    )


REFUSED = {
    "an order": (
        lambda s, y: steps.order.differences(-s),
        lambda b, y: (y[steps.order.result(b)] / torch.arange(1, 6)).sum(),
        "places",
    ),
    "an index": (
        lambda s, y: steps.choose.differences(s),
        lambda b, y: y[steps.choose.result(b)],
        "index",
    ),
    "truth values": (
        compare(">"),
        lambda b, y: ((steps.compare.result(b) == 1) & (y == 1)).double().mean(),
        "does not depend",
    ),
    "rounded": (
        compare(">"),
        lambda b, y: torch.round((steps.compare.result(b) * y).sum()),
        "derivative",
    ),
    "straight through": (
        compare(">"),
        lambda b, y: steps.compare.result(b).sum() + ((steps.compare.result(b) * y).sum() > 2).double(),
        "derivative",
    ),
    "another value": (compare(">"), lambda b, y: _cheating(steps.compare.result(b)), "another value"),
}


def _cheating(x: torch.Tensor) -> torch.Tensor:
    return x.double().mean() if x.dtype == torch.bool else x.mean() / 2


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_differentiable_is_refused(name):
    differences, remainder, why = REFUSED[name]
    with pytest.raises(MetricError) as error:
        written(differences, remainder)(SCORES, LABELS)
    assert error.value.diagnostics[0].code == "M2L510"
    assert why in error.value.diagnostics[0].why
    assert "multilinear" in error.value.diagnostics[0].hint


def test_it_is_tested_once():
    runs = []

    def remainder(binaries, labels):
        runs.append(1)
        return (steps.compare.result(binaries) * labels).sum()

    loss = written(compare(">"), remainder)
    loss(SCORES, LABELS)
    first = len(runs)
    loss(SCORES, LABELS)
    assert len(runs) - first < first - 5

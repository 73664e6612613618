"""Metrics as people write them: each compiles unmodified, is exact, and its loss points to the best configuration."""

from __future__ import annotations

import inspect
import math
from functools import cache
from typing import Any

import pytest
import torch

from metric2loss import compile_metric
from metric2loss.diagnostics import MetricError
from tests.corpus.cases import Case, cases, leaves

ROUTES: dict[str, str] = {}  # case -> how it was compiled; printed by conftest.py


def expected(test: str, *, only: Any = lambda case: True) -> list[Any]:
    """The cases of one test; the ones known to fail are marked with their reason."""
    chosen = []
    for case in cases():
        if case.refused or not only(case):
            continue
        reason = case.broken.get(test, case.broken.get("all"))
        marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
        chosen.append(pytest.param(case, id=case.name, marks=marks))
    return chosen


@cache
def loss_class(name: str) -> Any:
    case = next(case for case in cases() if case.name == name)
    try:
        loss = compile_metric(
            case.metric,
            scores=case.scores,
            direction=case.direction,
            returns=case.returns,
            example=case.batch("floats", 5),
            ideal=told(case) if case.told else None,
        )
    except MetricError as error:
        ROUTES[name] = f"refused {error.diagnostics[0].code}: {error.diagnostics[0].message}"
        raise
    ROUTES[name] = route(loss)
    return loss


def told(case: Case) -> Any:
    """What `ideal=` takes: the arguments that are no scores, in their order."""
    names = [name for name in inspect.signature(case.metric).parameters if name not in case.scores]
    return lambda *others: case.ideal(dict(zip(names, others)))


def route(loss: Any) -> str:
    """How the steps of a metric are met: its own lines rewritten, its calls caught as it runs, or an identity."""
    return str(loss().report().get("route") or "own code, compiled")


def close(a: float, b: float) -> bool:
    return (math.isnan(a) and math.isnan(b)) or abs(a - b) <= 2e-6 * max(1.0, abs(b))


def better(a: float, b: float, case: Case) -> bool:
    """Whether a is a better value of the metric than b, by more than rounding."""
    return not close(a, b) and (a > b) == (case.direction == "maximize")


@pytest.mark.parametrize("case", expected("exact"))
def test_metric_criterion_and_replay_agree(case: Case) -> None:
    criterion = loss_class(case.name)()
    for kind, seed in case.kinds():
        inputs = case.batch(kind, seed)
        want = case.value(inputs)
        configuration = criterion.record(**case.tensors(inputs))
        loss = criterion(**case.tensors(inputs))
        got = criterion.replay(configuration.with_flat(configuration.flat), **case.tensors(inputs))
        assert close(float(criterion.metric), want), (kind, seed)
        assert close(float(got), want), (kind, seed)
        assert math.isfinite(float(loss.detach())) and float(loss.detach()) >= 0, (kind, seed)


@pytest.mark.parametrize("case", expected("swap", only=lambda case: case.pure))
def test_binaries_of_other_scores_give_the_metric_of_those_scores(case: Case) -> None:
    criterion = loss_class(case.name)()
    for kind in ("floats", "ties"):
        here = case.batch(kind, 1)
        there = here | {name: case.batch(kind, 2)[name] for name in case.scores}
        configuration = criterion.record(**case.tensors(there))
        got = criterion.replay(configuration.with_flat(configuration.flat), **case.tensors(here))
        assert close(float(got), case.value(there)), kind


def is_pure(case: Case) -> bool:
    return case.pure  # else the value depends on the scores too, and no configuration at these scores is as good


@pytest.mark.parametrize("case", expected("best", only=is_pure))
def test_the_best_configuration_is_as_good_as_perfect_scores(case: Case) -> None:
    criterion = loss_class(case.name)()
    for seed in range(2):
        criterion(**case.tensors(case.batch("floats", seed)))
        assert not better(case.value(case.perfect(seed)), float(criterion.best_value), case)


@pytest.mark.parametrize("case", expected("ideal", only=is_pure))
def test_perfect_scores_that_are_given_are_the_best_configuration(case: Case) -> None:
    batch, perfect = case.batch("floats", 0), case.perfect(0)
    criterion = loss_class(case.name)(ideal=lambda *_: {name: perfect[name] for name in case.scores})
    criterion(**case.tensors(batch))
    assert not better(case.value(perfect), float(criterion.best_value), case)


@pytest.mark.parametrize("case", expected("gradient"))
def test_the_gradient_is_finite_and_not_zero(case: Case) -> None:
    for interpolant in ("integrated", "idw", "pull"):
        criterion = loss_class(case.name)(interpolant=interpolant)
        given = case.tensors(case.batch("floats", 3))
        criterion(**given).backward()
        for name in case.scores:
            found = torch.stack([part.grad.abs().max() for part in leaves(given[name])])
            assert torch.isfinite(found).all(), interpolant
            assert found.max() > 0, interpolant


@pytest.mark.parametrize("case", expected("trains", only=lambda case: not case.pure))
def test_a_mixed_metric_is_trained_the_right_way(case: Case) -> None:
    criterion = loss_class(case.name)(generator=torch.Generator().manual_seed(0))
    inputs = case.batch("floats", 0)
    scores = {name: torch.as_tensor(inputs[name]).clone().requires_grad_() for name in case.scores}
    optimizer = torch.optim.Adam(scores.values(), lr=0.02)
    for _ in range(40):
        loss = criterion(**inputs | scores)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    start, end, perfect = (case.value(case.native(b)) for b in (inputs, inputs | plain(scores, case), case.perfect(0)))
    assert abs(end - perfect) < 0.75 * abs(start - perfect)  # after forty steps


def plain(scores: dict[str, torch.Tensor], case: Case) -> dict[str, Any]:
    return {name: x.detach() if case.library == "torch" else x.detach().numpy() for name, x in scores.items()}


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in cases() if case.refused])
def test_a_refusal_names_the_construct(case: Case) -> None:
    with pytest.raises(MetricError) as caught:
        loss_class(case.name)
    assert case.refused in str(caught.value)


def test_few_metrics_are_refused() -> None:
    assert sum(bool(case.refused) for case in cases()) <= 0.1 * len(cases())


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in cases()])
def test_inputs_are_as_described(case: Case) -> None:
    assert len({case.value(case.batch("floats", seed)) for seed in range(4)}) > 1, "random scores move the metric"
    assert all(name in case.batch() for name in case.scores)
    if case.best is not None:
        assert close(case.value(case.perfect(0)), case.best)
    again = case.batch("floats", 0)
    assert case.refused or case.value(again) == case.value(again), "the metric leaves its arguments as they are"

"""G(u) by enumeration, in closed form and sampled: the same value and derivative; direct where g itself is multilinear."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from metric2loss.runtime.interpolants import Multilinear, named
from tests.runtime import toy
from tests.runtime.hand_written import CASES
from tests.runtime.interpolants.test_idw import some_ranking, some_rows
from tests.runtime.interpolants.test_integrated import unpooled, weighed


def brute_force(problem: toy.Toy) -> torch.Tensor:
    """The loss by its definition, differentiable."""
    every = toy.configurations(len(problem.bits))
    u = torch.sigmoid(problem.differences / problem.temperature)
    chance = torch.where(every, u, 1 - u).prod(1)
    return (problem.best_value - chance @ problem.values_of(every)).abs()


def value_and_gradient(loss: torch.Tensor, problem: toy.Toy) -> tuple[float, torch.Tensor]:
    (found,) = torch.autograd.grad(loss, problem.differences, retain_graph=True)
    return float(loss.detach()), found


def heat_maps() -> toy.Toy:
    scores = torch.randn(2, 6, generator=torch.Generator().manual_seed(3), dtype=torch.double, requires_grad=True)
    return toy.choose(scores, (torch.arange(6) < 2).long().expand(2, 6))


EXACT = {
    "pooled": lambda: toy.plain(lambda bits: float(bits[0] * bits[1] + 0.3 * bits[2:].sum() ** 0.5), few()),
    "temperature": lambda: toy.replace(toy.plain(lambda bits: float(bits.sum() ** 2), few()), temperature=0.5),
    "rows of few": lambda: some_rows(rows=3, classes=4),
    "minimised": lambda: mirrored(some_rows(rows=3, classes=3)),
}


def few() -> torch.Tensor:
    return torch.randn(5, generator=torch.Generator().manual_seed(5), dtype=torch.double).requires_grad_()


def mirrored(problem: toy.Toy) -> toy.Toy:
    rows = problem.rows
    turned = toy.replace(
        problem, g=lambda bits: 1 - float(rows(bits).mean()), rows=lambda bits: 1 - rows(bits), sign=-1
    )
    return turned.towards(problem.best)


@pytest.mark.parametrize("name", EXACT)
def test_value_and_derivative_are_those_of_the_definition(name):
    problem = EXACT[name]()
    value, gradient = value_and_gradient(named("multilinear")(problem), problem)
    expected, by_autograd = value_and_gradient(brute_force(problem), problem)
    assert value == pytest.approx(expected, abs=1e-12) and torch.allclose(gradient, by_autograd, atol=1e-12)


def test_rows_decided_by_one_choice_have_a_closed_form():
    problem = heat_maps()  # eight binaries a row: too many to enumerate
    value, gradient = value_and_gradient(named("multilinear")(problem), problem)
    assert problem.evaluations == 2
    expected, by_autograd = value_and_gradient(brute_force(problem), problem)
    assert value == pytest.approx(expected, abs=1e-9) and torch.allclose(gradient, by_autograd, atol=1e-9)


@pytest.mark.parametrize(("build", "budget"), [(weighed, 2**13), (unpooled, 2**13), (weighed, 12)])
def test_samples_are_right_on_average(build, budget):
    problem = build().seeded()
    expected, by_autograd = value_and_gradient(brute_force(problem), problem)
    sampled = Multilinear(samples=1500 if budget > 1000 else 4, budget=budget * (1500 if budget > 1000 else 1))
    times = 1 if budget > 1000 else 600
    found = [sampled.extension(problem) if len(problem.bits) > 6 else None for _ in range(times)]
    value = np.mean([abs(problem.best_value - part[0]) for part in found])
    slope = sum(part[1] for part in found) / times
    u = torch.sigmoid(problem.differences.detach())
    if budget > 1000:
        assert value == pytest.approx(expected, abs=0.03)
    assert torch.allclose(-slope * u * (1 - u), by_autograd, atol=0.03)


def test_a_sampled_step_costs_samples_times_binaries_and_one_more():
    problem = some_ranking(9).seeded()
    named("multilinear")(problem)
    assert problem.evaluations == 4 * (len(problem.bits) + 1)
    problem.evaluations = 0
    named("multilinear", samples=2, budget=10)(problem)
    assert problem.evaluations == 2 * (5 + 1)


@pytest.mark.parametrize("name", ["pck", "accuracy", "separation", "mean_reciprocal_rank"])
def test_direct_is_the_multilinear_extension_where_g_is_multilinear(name):
    case = CASES[name]
    arguments = case.arguments(np.random.default_rng(0), "random")
    found = {}
    for interpolant, options in (("direct", {}), ("multilinear", {"samples": 400, "budget": 10**6})):
        scores = torch.as_tensor(arguments[0]).clone().requires_grad_()
        draw = torch.Generator().manual_seed(0)
        loss = case.loss(interpolant, generator=draw, **options)(scores, *arguments[1:])
        loss.backward()
        found[interpolant] = float(loss.detach()), scores.grad
    if name != "mean_reciprocal_rank":  # 1 / rank is not linear in the rank
        assert found["direct"][0] == pytest.approx(found["multilinear"][0], abs=0.03)
    angle = torch.cosine_similarity(*(gradient.reshape(-1) for _, gradient in found.values()), dim=0)
    assert float(angle) > 0.95

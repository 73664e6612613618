"""The paper's formula, its distances from base + flips, its poles, and separable metrics row by row."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from metric2loss.runtime.anchors import Anchors
from metric2loss.runtime.groups import Rows
from metric2loss.runtime.interpolants import Idw
from metric2loss.runtime.interpolants.idw import squared_distances
from tests.runtime import toy


def some_ranking(n: int = 9, seed: int = 0, **options: object) -> toy.Toy:
    draw = torch.Generator().manual_seed(seed)
    scores = torch.randn(n, generator=draw, dtype=torch.double, requires_grad=True)
    return toy.average_precision(scores, torch.arange(n) % 3 == 0, **options)


def some_heat(seed: int = 0, rows: int = 5, candidates: int = 5) -> toy.Toy:
    draw = torch.Generator().manual_seed(seed)
    scores = torch.randn(rows, candidates, generator=draw, dtype=torch.double, requires_grad=True)
    return toy.choose(scores, (torch.arange(candidates) < 2).long().expand(rows, candidates))


def some_rows(seed: int = 0, rows: int = 5, classes: int = 4) -> toy.Toy:
    draw = torch.Generator().manual_seed(seed)
    scores = torch.randn(rows, classes, generator=draw, dtype=torch.double, requires_grad=True)
    labels = torch.randint(classes, (rows,), generator=draw)
    return toy.choose(scores, torch.nn.functional.one_hot(labels, classes))


def anchors_of(problem: toy.Toy) -> Rows:
    """Accuracy is taken as a whole: single flips say nothing in a row that needs all of its binaries."""
    alone = problem.leaves[0].layout.kind == "choose" and len(problem.best) == 15
    return Rows(1, None) if alone else Rows(problem.n_rows, problem.row_of)


def formula(problem: toy.Toy, anchors: torch.Tensor, power: float) -> torch.Tensor:
    """Eq. 6 with dense anchors, row by row, in autograd's hands."""
    u = torch.sigmoid(problem.differences / problem.temperature)
    squares = (u - anchors.double()) ** 2
    if anchors_of(problem).of is None:
        values, squares = problem.values_of(anchors).unsqueeze(1), squares.sum(1, keepdim=True)
    else:
        values = problem.row_values_of(anchors)
        squares = torch.zeros(len(anchors), problem.n_rows).double().index_add(1, problem.row_of, squares)
    weights = squares ** (-power / 2)
    return ((weights * values).sum(0) / weights.sum(0)).mean()


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0, 3.5])
@pytest.mark.parametrize(
    "build", [some_ranking, some_rows, some_heat], ids=["pooled", "rows taken as a whole", "separable"]
)
def test_value_and_gradient_are_those_of_the_formula(build, power):
    problem = build()
    anchors = Anchors.drawn_for(problem.seeded(3), anchors_of(problem)).dense()
    dense = abs(problem.best_value - formula(problem, anchors, power))
    (expected,) = torch.autograd.grad(dense, problem.differences)
    loss = Idw(power=power)(problem.seeded(3))
    (gradient,) = torch.autograd.grad(loss, problem.differences)
    assert torch.allclose(loss, dense)
    assert torch.allclose(gradient, expected, atol=1e-12)


def test_gradient_agrees_with_finite_differences():
    problem = some_ranking()
    loss = Idw()(problem.seeded(1))
    (gradient,) = torch.autograd.grad(loss, problem.differences)
    for k in range(0, len(gradient), 5):
        moved = [problem.differences.detach().clone() for _ in range(2)]
        moved[0][k] += 1e-5
        moved[1][k] -= 1e-5
        high, low = (Idw()(toy.replace(problem, differences=c.requires_grad_()).seeded(1)) for c in moved)
        assert float((high - low).detach() / 2e-5) == pytest.approx(float(gradient[k]), abs=1e-8)


@pytest.mark.parametrize(
    "build", [some_ranking, some_rows, some_heat], ids=["pooled", "rows taken as a whole", "separable"]
)
def test_distances_from_base_and_flips_equal_dense_ones(build):
    problem = build(seed=4)
    rows = Rows(problem.n_rows, problem.row_of)
    anchors = Anchors.drawn_for(problem.seeded(), rows)
    u = torch.sigmoid(problem.differences.detach())
    dense = rows.total((u - anchors.dense().double()) ** 2)
    assert torch.allclose(squared_distances(u, anchors, rows), dense, atol=1e-12)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_at_an_anchor_the_value_is_g_and_the_gradient_is_finite(power):
    scores = torch.tensor([300.0, -300.0, 300.0, -300.0], requires_grad=True)  # u is exactly 0 or 1, in float32
    problem = toy.average_precision(scores, torch.tensor([True, False, True, False])).seeded()
    assert torch.equal(problem.bits, problem.best)
    loss = Idw(power=power)(problem)
    loss.backward()
    assert loss.dtype == torch.float32 and float(loss.detach()) == 0
    assert torch.isfinite(scores.grad).all()


def test_an_anchor_that_is_not_the_best_gives_its_own_value_at_distance_zero():
    problem = toy.plain(lambda bits: bits.sum() / 4, torch.tensor([500.0, 500.0, 500.0, -500.0], requires_grad=True))
    loss = Idw()(problem.seeded())  # one flip away from the best: among the good anchors
    loss.backward()
    assert float(loss.detach()) == 0.25


def test_equal_anchor_values_give_no_gradient():
    problem = toy.plain(lambda bits: 0.7, torch.randn(6, requires_grad=True)).seeded()
    loss = Idw()(problem)
    (gradient,) = torch.autograd.grad(loss, problem.differences)
    assert float(loss.detach()) == pytest.approx(0)
    assert gradient.abs().max() < 1e-12


def test_forty_nine_evaluations_serve_all_rows_of_a_separable_metric():
    problem = some_heat(rows=30).seeded()
    Idw()(problem)
    assert problem.evaluations == 49


@pytest.mark.parametrize("sign", [1, -1])
def test_the_gradient_improves_the_metric_in_either_direction(sign):
    problem = toy.plain(lambda bits: sign * float(bits.mean()), torch.randn(12, requires_grad=True), sign=sign).seeded()
    (gradient,) = torch.autograd.grad(Idw()(problem), problem.differences)
    assert gradient.sum() < 0  # descent raises the differences on the whole


def test_anchors_without_a_finite_value_are_left_out():
    problem = toy.plain(lambda bits: np.nan if not bits[0] else bits.mean(), torch.ones(5, requires_grad=True)).seeded()
    loss = Idw()(problem)
    (gradient,) = torch.autograd.grad(loss, problem.differences)
    assert torch.isfinite(loss) and torch.isfinite(gradient).all()


def test_a_share_of_the_binaries_has_the_derivative_it_would_have_and_the_others_none():
    whole = Idw().interpolated(some_ranking(60).seeded(3))
    part = Idw(share=0.2).interpolated(some_ranking(60).seeded(3))
    assert part[0] == whole[0]
    kept = part[1] != 0
    assert torch.equal(part[1][kept], whole[1][kept])
    assert 0.1 < kept.double().mean() < 0.3
    first, second = (Idw(share=0.2).interpolated(some_ranking(60).seeded(seed))[1] != 0 for seed in (3, 4))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ValueError, match="share of the binaries"):
        Idw(share=share)

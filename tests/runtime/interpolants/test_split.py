"""What is computed from keys alone, block by block, is what listing every pair and flipping it gives."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from metric2loss.runtime import split as splits
from metric2loss.runtime.factored import oriented
from metric2loss.runtime.interpolants import credit, far_pairs, idw, links, named, swaps
from metric2loss.runtime.layouts import OrderLayout
from metric2loss.runtime.problem import Problem
from tests.runtime.hand_written import CASES
from tests.test_examples import generated


def solved(name: str, seed: int = 0, kind: str = "random", **changes: object) -> Problem:
    """The problem of a hand-written case with its best configuration; labels may be exchanged for others."""
    case, rng = CASES[name], np.random.default_rng(seed)
    loss = case.loss(generator=torch.Generator().manual_seed(seed))
    loss.progress = changes.pop("progress", 0.5)
    problem = loss.problem(*case.arguments(rng, kind))
    if problem.split is None:
        problem = loss.problem(*case.arguments(rng, kind))
    assert problem.split is not None
    return problem


def heat_maps(progress: float) -> Problem:
    """The example's own loss, whose rows are heat maps with good pixels each."""
    loss, draw = generated("pckh")(), torch.Generator().manual_seed(0)
    loss.progress = progress
    maps = torch.randn(2, 3, 8, 8, generator=draw, dtype=torch.double)
    joints = torch.randint(1, 7, (2, 3, 2), generator=draw).numpy()
    for _ in range(2):
        problem = loss.problem(maps, joints, np.full(2, 3.0))
    return problem


def by_keys(problem: Problem, name: str, listed: bool) -> Tensor:
    """dL/dkeys of an interpolant; `listed`: from the list of all pairs."""
    found, split = named(name, first=0.0, last=1.0), problem.split
    problem.split = None if listed else split
    keys = problem.leaves[0].layout.keys
    (gradient,) = torch.autograd.grad(found(problem), keys, retain_graph=True)
    problem.split = split
    return gradient


@pytest.mark.parametrize("progress", [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("kind", ["random", "ties"])
@pytest.mark.parametrize(
    ("name", "interpolant"),
    [
        ("accuracy", "pull"),
        ("accuracy", "integrated"),
        ("pck", "pull"),
        ("average_precision", "pull"),
    ],
)
def test_closed_forms_and_pull_equal_those_of_listed_pairs(name, interpolant, kind, progress, monkeypatch):
    monkeypatch.setattr(splits, "_BLOCK", 200)  # several blocks
    problem = heat_maps(progress) if name == "pck" else solved(name, kind=kind, progress=progress)
    listed, fast = by_keys(problem, interpolant, True), by_keys(problem, interpolant, False)
    assert fast.abs().max() > 0
    assert torch.allclose(fast, listed, rtol=1e-5, atol=1e-6 * float(listed.abs().max()))


@pytest.mark.parametrize("progress", [0.0, 0.3, 1.0])
def test_rows_with_several_good_items_are_taught_by_their_margin(progress):
    problem = heat_maps(progress)
    split = problem.split
    keys = split.keys.detach().reshape(split.winners.shape).requires_grad_()
    good = torch.logsumexp(keys.masked_fill(~split.winners, -math.inf), 1)
    u = torch.sigmoid(good - torch.logsumexp(keys.masked_fill(split.winners, -math.inf), 1))
    share = split.winners.double().mean()
    slope = (
        (1 - u) * u**progress * share ** (-progress * (1 - progress))
    )  # of the annealed link, for a mean over the rows
    (wanted,) = torch.autograd.grad(-(torch.logit(u) * slope.detach()).mean(), keys)
    assert torch.allclose(by_keys(problem, "integrated", False).reshape(wanted.shape), wanted, rtol=1e-6, atol=1e-12)


def flat_numbers(problem: Problem) -> tuple[Tensor, Tensor]:
    """Of every (good, bad) pair: its number among the binaries, and whether the binary is true when the good one leads."""
    layout, split = problem.leaves[0].layout, problem.split
    number = torch.full((layout.n, layout.n), -1)
    number[layout.ahead, layout.behind] = torch.arange(layout.size)
    good, bad = split.good[0], split.bad[0]
    forward, backward = number[good][:, bad], number[bad][:, good].T
    return torch.where(forward >= 0, forward, backward), forward >= 0


def by_flips(problem: Problem, agrees: Tensor) -> Tensor:
    """The slow reference: g at every single flip of the configuration, [goods, bads]."""
    number, true = flat_numbers(problem)
    bits = torch.zeros(problem.size, dtype=torch.bool)
    bits[number.reshape(-1)] = ((agrees > 0) == true).reshape(-1)
    flips = torch.cat([torch.tensor([[-1]]), torch.arange(problem.size).unsqueeze(1)])
    values = problem.sign * problem.values(bits, flips)
    change = (values[1:] - values[0])[number]
    return torch.where(agrees > 0, -change, change)


@pytest.mark.parametrize("t", [0.0, 0.3, 0.9, 1.0])
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("lower_first", [False, True])
@pytest.mark.parametrize("name", ["average_precision", "average_precision_torch", "precision_at_k"])
def test_adjacent_swaps_give_every_single_flip(name, lower_first, seed, t):
    problem = solved(name, seed)
    layout = problem.leaves[0].layout
    problem.split = split = splits.Split(layout.keys, layout.lower if lower_first else layout.lower.others)
    u = torch.sigmoid(split.of_good[0].unsqueeze(1) - split.of_bad[0])
    agrees = (torch.rand(3, *u.shape, generator=torch.Generator().manual_seed(seed)) < u + t * (1 - u)).to(u)
    for parts in ([agrees], agrees.split(1)):  # several configurations at once, and one by one
        found = swaps.Draws(parts, lower_first)
        kept = found.swaps()
        items = torch.cat([split.good[0], split.bad[0]])
        outcomes = swaps._outcomes(layout, items, found.sequence, kept, np.zeros((0, 2), dtype=np.int64))
        values = problem.sign * problem.values_at(outcomes).numpy()
        worth = np.zeros(found.sequence.shape)
        worth[kept[:, 0], kept[:, 1]] = values[3:] - values[kept[:, 0]]
        expected = sum(by_flips(problem, one) for one in agrees)
        assert torch.allclose(found.credit(worth).double(), expected, atol=1e-7)


def test_the_credit_is_the_documented_one_on_average():
    problem = solved("average_precision", progress=0.0)
    split = problem.split
    found = sum(swaps.credit(problem, split, 2**20)[0] for _ in range(300)) / 300
    thinned = sum(swaps.credit(problem, split, 24 * 30)[0] for _ in range(2500)) / 2500
    slow = torch.zeros_like(found)
    x, plan = oriented(problem), credit.Plan.of(problem)
    number, _ = flat_numbers(problem)
    for _ in range(100):
        slow += credit.of_binaries(problem, plan, x)[number].to(slow) / 100
    scale = float(slow.abs().max())
    assert torch.allclose(found, slow, atol=0.25 * scale) and float((found - slow).mean().abs()) < 0.02 * scale
    assert torch.allclose(thinned, found, atol=0.3 * scale) and float((thinned - found).mean().abs()) < 0.02 * scale


def test_a_metric_whose_swaps_do_not_add_up_is_flipped_pair_by_pair():
    problem = solved("average_precision")
    plain = problem.values_at
    problem.values_at = lambda outcomes: plain(outcomes) ** 3  # type: ignore[method-assign]
    assert swaps.credit(problem, problem.split, 2**20) is None
    integrated = named("integrated")
    integrated(problem)
    assert not integrated._adds_up


def test_a_pair_of_a_metric_that_counts_right_pairs_is_worth_the_same_in_every_batch():
    loss, draw = generated("roc_auc")(), torch.Generator().manual_seed(0)
    scores = torch.randn(20, generator=draw, dtype=torch.double, requires_grad=True)
    for _ in range(2):
        problem = loss.problem(y_score=scores, y_true=np.arange(20) % 3 == 0)
    found, share = swaps.credit(problem, problem.split, 2**20)
    assert share == 1
    assert torch.allclose(found, torch.full_like(found, 1 / found.numel()), rtol=1e-6, atol=0)


def test_what_making_outcomes_of_pairs_costs_is_not_charged_for_swaps():
    scores = torch.randn(600, generator=torch.Generator().manual_seed(0))
    problem = generated("average_precision")().problem(scores, torch.arange(600) % 4 == 0)
    assert problem.own_cost < 600 < 10 * problem.own_cost < problem.run_cost
    assert swaps.credit(problem, problem.split, 2**20)[1] > 0.2


@pytest.mark.parametrize("power", [links.Power(0.25), links.Power(0.5, settles=True)])
def test_anchoring_is_that_of_listed_pairs(power):
    problem = solved("average_precision")
    number, _ = flat_numbers(problem)
    worth = torch.rand(problem.size, generator=torch.Generator().manual_seed(0), dtype=torch.double) - 0.2
    side = links.Sides.read(problem, problem.leaves[0])
    slow = side.anchored(problem, worth, power)
    near = links.focused(problem.split)
    fast = links.anchored(near, worth[number], power) * near.temperature
    assert near.temperature < 1
    assert torch.allclose(fast.double(), slow, atol=1e-6)


@pytest.mark.parametrize("kind", ["random", "ties", "equal"])
def test_distances_without_a_list_of_pairs(kind, monkeypatch):
    monkeypatch.setattr(splits, "_BLOCK", 40)
    problem = solved("average_precision", kind=kind)
    split = problem.split
    anchors = far_pairs.Pairs(problem, split, 4)
    number, true = flat_numbers(problem)
    now = anchors.place_g.unsqueeze(1) < anchors.place_b
    agree = [torch.ones_like(now)]
    for base, flips in ((torch.ones_like(now), anchors.best), (now, anchors.current)):
        for good, bad in zip(flips.goods, flips.bads, strict=True):
            one = base.clone()
            one[good, bad] = ~one[good, bad]
            agree.append(one)
    agree += [(anchors.r[:, a : a + 1] > 0) ^ (anchors.R[:, a] > 0) for a in range(4)]
    bits = torch.zeros(len(agree), problem.size, dtype=torch.bool)
    for row, one in zip(bits, agree, strict=True):
        row[number.reshape(-1)] = (one == true).reshape(-1)
    values = problem.values_of(bits)
    assert torch.allclose(problem.values_at(anchors.outcomes()), values)
    keys = split.keys.detach().double().requires_grad_()
    u = torch.sigmoid(keys[split.good[0]].unsqueeze(1) - keys[split.bad[0]])
    squares = torch.stack([((u - one.double()) ** 2).sum() for one in agree])
    assert torch.allclose(anchors.squares(), squares.detach(), rtol=1e-5)
    value = (values / squares.sqrt()).sum() / (1 / squares.sqrt()).sum()
    (expected,) = torch.autograd.grad(value, keys)
    at, slopes = idw.weighted(values.reshape(-1, 1), squares.detach().reshape(-1, 1), 1.0)
    ups, downs = anchors.gradient(slopes.reshape(-1))
    found = split.gradient(-ups.unsqueeze(0), -downs.unsqueeze(0))
    assert float(at) == pytest.approx(float(value.detach()))
    assert torch.allclose(found.double(), expected, atol=1e-6)


@pytest.mark.parametrize("name", ["pull", "idw", "integrated"])
def test_later_batches_list_no_pairs(name, monkeypatch):
    monkeypatch.setattr(far_pairs, "LARGE", 10)
    case, rng = CASES["average_precision"], np.random.default_rng(0)
    loss = case.loss(name)
    for step in range(3):
        if step == 2:
            monkeypatch.setattr(OrderLayout, "differences", lambda self: pytest.fail("the pairs were listed"))
        scores, labels = case.arguments(rng, "random")
        x = torch.tensor(scores, requires_grad=True)
        if step < 2:
            loss.problem(x, labels)
        else:
            loss._best._batches = 2  # no search at this batch
            loss(x, labels).backward()
            assert math.isfinite(float(x.grad.abs().sum())) and float(x.grad.abs().sum()) > 0

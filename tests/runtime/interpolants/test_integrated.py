"""Credit that completes, links that anneal, anchoring where it belongs, closed forms that equal enumeration."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from metric2loss import surrogate
from metric2loss.runtime.factored import oriented
from metric2loss.runtime.good_rows import GoodRows
from metric2loss.runtime.interpolants import Integrated, credit, links, margins, named
from metric2loss.runtime.problem import Problem
from tests.runtime import toy
from tests.runtime.interpolants.test_idw import some_ranking, some_rows
from tests.test_examples import generated


def extension(problem: toy.Toy, agree: torch.Tensor) -> float:
    """G(u): g averaged over independent binaries that agree with the best configuration with probability `agree`."""
    agrees = toy.configurations(len(agree))
    chance = torch.where(agrees, agree, 1 - agree).prod(1)
    return float(chance @ problem.values_of(agrees == problem.best))


def gradient(problem: toy.Toy, **options: float) -> torch.Tensor:
    (found,) = torch.autograd.grad(Integrated(**options)(problem), problem.differences)
    return found


def mean_credit(problem: toy.Toy, times: int) -> torch.Tensor:
    x, plan = oriented(problem), credit.Plan.of(problem)
    return sum(credit.of_binaries(problem, plan, x) for _ in range(times)) / times


def unpooled() -> toy.Toy:
    """Precision of the rows found good: neither separable nor linear in the rows."""
    scores = torch.randn(4, 3, generator=torch.Generator().manual_seed(2), dtype=torch.double, requires_grad=True)
    classes = torch.eye(3, dtype=torch.long)[torch.tensor([0, 1, 1, 2])]
    truth = np.array([1, 0, 1, 1])
    return toy.choose(scores, classes, separable=False, g=lambda good: (good * truth).sum() / max(1, good.sum()))


def weighed() -> toy.Toy:
    draw = torch.randn(7, generator=torch.Generator().manual_seed(5), dtype=torch.double)
    return toy.plain(lambda bits: bits[0] * bits[1] + 0.3 * bits[2:].sum() ** 0.5, draw.requires_grad_())


@pytest.mark.parametrize(
    ("build", "times"),
    [(lambda: some_ranking(6), 400), (weighed, 400), (unpooled, 400), (some_rows, 1)],
    ids=["order", "compare", "pooled rows", "rows in closed form"],
)
def test_credit_over_the_whole_path_is_complete(build, times):
    problem = toy.replace(build(), progress=0.0).seeded()
    x, plan = oriented(problem), credit.Plan.of(problem)
    worth = mean_credit(problem, times)
    if plan.good is None:
        total, mean = (worth * (1 - torch.sigmoid(x))).sum(), extension(problem, torch.sigmoid(x))
    else:
        chance = margins.chances(problem, plan.good)
        total, mean = (credit.of_rows(plan, worth) * (1 - chance)).sum(), over_rows(problem, plan, chance)
    assert float(total) == pytest.approx(problem.best_value - mean, abs=1e-6 if times == 1 else 0.03)


def over_rows(problem: toy.Toy, plan: credit.Plan, chance: torch.Tensor) -> float:
    """g averaged over independent rows that are right with these probabilities."""
    right = toy.configurations(len(chance)) if len(chance) < 15 else torch.eye(len(chance), dtype=torch.bool)
    agrees = right[:, plan.good.row]
    values = problem.values_of(agrees == problem.best)
    if len(chance) < 15:
        return float(torch.where(right, chance, 1 - chance).prod(1) @ values)
    return float(values @ chance)


def test_at_the_end_of_training_half_of_the_credit_is_the_derivative_of_the_extension():
    problem = toy.replace(weighed(), progress=1.0).seeded()
    whole = mean_credit(toy.replace(problem, progress=0.0), 600)
    found = mean_credit(problem, 600)
    u = torch.sigmoid(oriented(problem)).requires_grad_()
    agrees = toy.configurations(len(u))
    value = torch.where(agrees, u, 1 - u).prod(1) @ problem.values_of(agrees == problem.best)
    (derivative,) = torch.autograd.grad(value, u)
    assert torch.allclose(found, (whole + derivative) / 2, atol=0.03)


@pytest.mark.parametrize("good", [1, 2, 3], ids=["all-of", "two pixels", "three pixels"])
@pytest.mark.parametrize("t", [0.0, 0.4, 1.0])
def test_closed_form_of_a_row_equals_enumeration(good, t):
    scores = torch.randn(1, 5, generator=torch.Generator().manual_seed(good), dtype=torch.double, requires_grad=True)
    problem = toy.choose(scores, (torch.arange(5) < good).long().unsqueeze(0))
    rows, x = GoodRows.read(problem), oriented(problem)
    u = (torch.sigmoid(x) + t * torch.sigmoid(-x)).requires_grad_()
    agrees = toy.configurations(len(u))
    value = torch.where(agrees, u, 1 - u).prod(1) @ problem.values_of(agrees == problem.best)
    (derivative,) = torch.autograd.grad(value, u)
    assert rows.probability(x, t).item() == pytest.approx(value.item())
    if t < 1:
        assert torch.allclose(rows.log_derivative(x, t).exp(), derivative)


def test_a_row_is_one_binary_however_many_good_candidates_it_has():
    scores = torch.zeros(3, 400, dtype=torch.double).requires_grad_()
    classes = (torch.arange(400) < 8).long().expand(3, 400)
    problem = toy.choose(scores, classes).seeded()
    plan = credit.Plan.of(problem)
    found = credit.of_rows(plan, credit.of_binaries(problem, plan, oriented(problem)))
    assert found.tolist() == pytest.approx([1 / 3] * 3) and problem.evaluations == 2
    assert margins.chances(problem, plan.good).tolist() == pytest.approx([8 / 400] * 3)


def test_accuracy_needs_two_evaluations():
    problem = some_rows(rows=20).seeded()
    gradient(problem)
    assert problem.evaluations == 2


def test_single_flips_of_a_separable_metric_serve_all_rows_at_once():
    scores = torch.randn(6, 3, requires_grad=True)
    problem = toy.choose(scores, torch.eye(3, dtype=torch.long)[torch.arange(6) % 3]).seeded()
    problem.leaves[0].layout.kind = "compare"  # forget how the rows are decided
    gradient(problem)
    assert problem.evaluations == credit.SAMPLES * (2 + 1)


def test_the_closed_form_of_rows_is_what_flipping_them_gives():
    problem = toy.replace(some_rows(rows=3, classes=3)).seeded()
    whole = credit.Plan.of(problem)
    flipped = toy.replace(whole, decided_by_rows=False)
    x = oriented(problem)
    assert whole.decided_by_rows
    assert torch.allclose(
        credit.of_binaries(problem, flipped, x), credit.of_binaries(problem, whole, x), rtol=1e-12, atol=0
    )


@pytest.mark.parametrize("progress", [0.0, 0.4, 1.0])
def test_rows_are_taught_from_cross_entropy_to_the_expected_value(progress):
    problem = toy.replace(some_rows(rows=5, classes=4), progress=progress).seeded()
    layout = problem.leaves[0].layout
    (found,) = torch.autograd.grad(Integrated(first=0, last=1)(problem), layout.keys)
    good = GoodRows.read(problem).sides[0][1]
    keys = layout.keys.detach().reshape(good.shape).requires_grad_()
    right = (torch.softmax(keys, 1) * good).sum(1)
    harder = (1 / 4) ** (-progress * (1 - progress))  # one of four is good: a start that plain gradient descent notices
    value = -harder * (right.log() * right.detach() ** progress).mean()
    (wanted,) = torch.autograd.grad(value, keys)
    assert torch.allclose(found.reshape(good.shape), wanted)


def test_the_link_goes_from_logistic_to_sigmoid():
    x = torch.tensor([-2.0, 0.0, 3.0], requires_grad=True)
    (logistic,) = torch.autograd.grad(torch.nn.functional.softplus(-x).sum(), x)
    (sigmoid,) = torch.autograd.grad(torch.sigmoid(-x).sum(), x)
    assert torch.allclose(links.link(x.detach(), 0.0), -logistic)
    assert torch.allclose(links.link(x.detach(), 1.0), -sigmoid)


def test_negative_credit_swaps_the_sides():
    problem = weighed()
    x = oriented(problem)
    worth = torch.tensor([1.0, -1.0] + [0.0] * 5, dtype=torch.double)
    found = links.of_pairs(problem, x, worth, 0.3)
    assert found[0] == -links.link(x[0], 0.3) and found[1] == links.link(-x[1], 0.3)


@pytest.mark.parametrize(("annealed", "p"), [(False, 0.0), (True, 0.25)])
def test_an_order_over_the_batch_is_pulled_by_pairs_and_a_third_by_its_examples(annealed, p):
    problem = some_ranking(12, progress=0.25).seeded()
    keys = problem.leaves[0].layout.keys
    labels = torch.arange(12) % 3 == 0
    x, plan = oriented(problem), credit.Plan.of(problem)
    worth = credit.of_binaries(problem, plan, x)
    layout = problem.leaves[0].layout
    raw = torch.zeros(12).double()
    for k, value in enumerate(worth.clamp(min=0).tolist()):
        raw[layout.ahead[k]] += value
        raw[layout.behind[k]] += value
    winners, losers = int(labels.sum()), int((~labels).sum())
    given = keys.detach()
    scatter = given[labels].var(correction=0) * winners + given[~labels].var(correction=0) * losers
    near = float((0.6 * (scatter / 12).sqrt()).clamp(0.1, 1))
    s = torch.sigmoid(2**0.5 * given / near)  # one key, not a difference of two
    assert raw[labels].sum() == pytest.approx(float(raw[~labels].sum()))
    of_winner, of_loser = (winners / 12) ** 0.25, (losers / 12) ** 0.25
    each = 2 * 0.35 / (of_winner + of_loser)  # .35 of the pull, were all alike
    up = each * of_winner * raw * (1 - s) * s**p
    down = each * of_loser * raw * s * (1 - s) ** p
    for k, value in enumerate(worth.clamp(min=0).tolist()):
        ahead, behind = (layout.ahead[k], layout.behind[k])[:: 1 if labels[layout.ahead[k]] else -1]
        u = torch.sigmoid((given[ahead] - given[behind]) / near)
        up[ahead] += value * (1 - u) * u**p * 0.65
        down[behind] += value * (1 - u) * u**p * 0.65
    loss = Integrated(first=0, last=1, anneal_anchored=annealed)(problem.seeded())
    found, pairs = torch.autograd.grad(loss, [keys, problem.differences], allow_unused=True, retain_graph=True)
    rare = 0.25 * 4 * winners * losers / 12**2  # a quarter as hard as where all pairs count alike
    assert torch.allclose(
        found, rare * torch.where(labels, -up, down)
    )  # c is in the graph of the keys: its own is zero
    assert pairs.abs().sum() == 0


@pytest.mark.parametrize("spread", [1e-3, 0.1, 1.0, 30.0])
def test_an_order_is_read_at_a_temperature_of_its_own_scores(spread):
    up, down = spread * torch.linspace(-1, 1, 5), 7 + spread * torch.linspace(-1, 1, 9)
    wanted = 0.6 * float(torch.cat([up, down - 7]).square().mean().sqrt())
    assert links.focus(up, down) == pytest.approx(min(1.0, max(0.1, wanted)), rel=1e-5)
    assert links.focus(up + 3, down + 3) == pytest.approx(links.focus(up, down), rel=1e-3)


@pytest.mark.parametrize(("chance", "middle"), [(0.0, 0.5), (0.5, 0.75)])
def test_p_settles_at_nothing_where_nothing_or_all_is_right(chance, middle):
    power = links.Power(0.5, settles=True)
    assert power.at(chance, chance) == power.at(1.0, chance) == power.at(chance / 2, chance) == 0
    assert power.at(middle, chance) == 0.5 > power.at(0.9, chance) > power.at(0.99, chance) > 0


def test_an_order_settles_by_the_pairs_that_the_metric_heeds():
    problem = some_ranking(12)
    side = links.Sides.read(problem, problem.leaves[0])
    x, plan = oriented(problem), credit.Plan.of(problem)
    worth = credit.of_binaries(problem.seeded(), plan, x)
    near = links.focus(*(problem.leaves[0].layout.keys.detach()[torch.unique(at)] for at in (side.winner, side.loser)))
    share = worth.clamp(min=0)
    right = float((torch.sigmoid(x / near) * share).sum() / share.sum())
    p = 0.5 * max(0.0, 16 * (right - 0.5) * (1 - right))
    found = side.anchored(problem, worth, links.Power(0.5, settles=True))
    assert torch.allclose(found, side.anchored(problem, worth, links.Power(p)))


def test_only_one_pool_with_two_sides_is_anchored():
    problem = some_ranking(9)
    leaf = problem.leaves[0]
    assert links.Sides.read(problem, leaf) is not None
    torn = problem.towards(~problem.best ^ (torch.arange(len(problem.best)) % 2 == 0))
    assert links.Sides.read(torn, leaf) is None
    assert links.Sides.read(toy.replace(problem, row_of=leaf.layout.row_of), leaf) is None


def mute() -> toy.Toy:
    """Right only if everything is, with everything far off: no sampled flip changes the value."""
    return toy.plain(
        lambda bits: float(bits.all()), torch.full((12,), -30.0, requires_grad=True), progress=1.0
    ).seeded()


def test_without_credit_every_binary_is_pulled_so_that_the_credits_add_up_to_what_is_missing():
    problem = mute()
    (pulled,) = torch.autograd.grad(named("pull")(problem), problem.differences)
    found = gradient(problem)
    assert torch.allclose(found, pulled / 12) and bool(found.any() == pulled.any())


def test_without_credit_the_pull_is_as_strong_as_the_credit_of_earlier_batches():
    interpolant, problem = Integrated(), weighed().seeded()
    worth = credit.of_binaries(problem, credit.Plan.of(problem), oriented(problem))
    interpolant(weighed().seeded())
    assert interpolant.typical == pytest.approx(float(worth.abs().mean()))
    silent = toy.plain(lambda bits: 0.5, torch.randn(5, requires_grad=True), progress=0.2).seeded()
    (pulled,) = torch.autograd.grad(named("pull")(silent), silent.differences)
    (found,) = torch.autograd.grad(interpolant(silent), silent.differences)
    assert torch.allclose(found, interpolant.typical * pulled)


@pytest.mark.parametrize("name", ["integrated", "idw", "pull"])
@pytest.mark.parametrize("kind", ["pooled", "rows", "heat map", "compare"])
@pytest.mark.parametrize("scores", ["saturated", "tied", "best", "one row"])
def test_degenerate_batches_stay_finite(name, kind, scores):
    problem = degenerate(kind, scores).seeded()
    loss = named(name)(problem)
    found = torch.autograd.grad(loss, problem.differences)[0]
    assert torch.isfinite(loss) and torch.isfinite(found).all()


def degenerate(kind: str, scores: str) -> toy.Toy:
    n = 1 if scores == "one row" else 4
    x = torch.zeros(n, 4) if scores == "tied" else torch.randn(n, 4, generator=torch.Generator().manual_seed(0))
    x = (x * (1e4 if scores == "saturated" else 1)).requires_grad_()
    good = (torch.arange(4) < (2 if kind == "heat map" else 1)).long().expand(n, 4)
    if kind == "pooled":
        problem = toy.average_precision(x.reshape(-1), torch.arange(x.numel()) % 3 == 0)
    elif kind == "compare":
        problem = toy.plain(lambda bits: float(bits.mean()), x.reshape(-1) * 1)
    else:
        problem = toy.choose(x, good)
    return problem.towards(problem.bits) if scores == "best" else problem


@pytest.mark.parametrize("name", ["integrated", "idw", "pull"])
def test_a_batch_without_binaries_is_a_zero_in_the_graph(name):
    scores = torch.randn(5, requires_grad=True)
    loss = named(name)(toy.average_precision(scores, torch.zeros(5, dtype=torch.bool)))
    loss.backward()
    assert float(loss.detach()) == 0 and torch.equal(scores.grad, torch.zeros(5))


@pytest.mark.parametrize("name", ["integrated", "pull"])
def test_value_is_the_distance_of_the_metric_from_the_best(name):
    problem = some_ranking().seeded()
    assert float(named(name)(problem).detach()) == pytest.approx(problem.best_value - problem.metric)


def test_losses_and_gains_are_mirror_images():
    problem = weighed()
    mirrored = toy.replace(problem, g=lambda bits: -problem.g(bits), sign=-1).towards(problem.best)
    assert torch.equal(gradient(problem.seeded(1)), gradient(mirrored.seeded(1)))


def test_a_dear_order_is_thinned_and_then_pulled_evenly():
    problem = some_ranking(14).seeded()
    full = credit.SAMPLES * (len(problem.best) + 1) * 14
    thinned, far = Integrated(budget=full // 3), Integrated(budget=full // 100)
    thinned(problem)
    assert "33%" in thinned.notes[0] and problem.evaluations * 14 < 0.4 * full
    problem.evaluations = 0
    far(problem)
    assert (
        "counts alike" in far.notes[0] and far.chosen.startswith("evenly: flips would take") and not problem.evaluations
    )


@pytest.mark.parametrize(("part", "flips"), [(40, range(4, 7)), (10**6, range(3, 4))])
def test_of_dear_rows_of_choices_a_few_flips_stand_for_all(part, flips):
    scores = torch.randn(200, 3, generator=torch.Generator().manual_seed(0), requires_grad=True)
    loss = generated("macro_f1")
    problem = loss().problem(scores, np.arange(200) % 3)
    criterion = loss(budget=credit.cost(problem, credit.Plan.of(problem)) // part)
    for _ in range(2):
        criterion(scores, np.arange(200) % 3).backward()
    report = criterion.report()
    assert report["credit"].endswith("of them drawn by chance, the others as their mean")
    assert report["notes"][0].endswith("of 201 flips are evaluated, the others count as their mean")
    assert int(report["notes"][0].split()[0]) in flips
    assert scores.grad.abs().sum() > 0


@pytest.mark.parametrize("part", [1, 5])
def test_no_evaluation_goes_to_binaries_that_no_finite_score_turns(part):
    differences = torch.tensor([math.inf, -0.5, -math.inf, 0.5, math.inf, -1.0], dtype=torch.double, requires_grad=True)
    problem = toy.plain(lambda bits: float(bits.mean()), differences).towards(torch.ones(6, dtype=torch.bool))
    plan = credit.Plan.of(problem)
    assert plan.flips.flatten().tolist() == [1, 3, 5] and plan.by.tolist() == [-1, 0, -1, 1, -1, 2]
    for seed in range(10):
        (found,) = torch.autograd.grad(
            Integrated(budget=credit.cost(problem, plan) // part)(problem.seeded(seed)), differences
        )
        assert found[[1, 3, 5]].abs().sum() > 0 and not found[[0, 2, 4]].any()


def test_thinned_credit_is_right_on_average():
    problem = toy.replace(weighed(), progress=0.0).seeded()
    x, plan = oriented(problem), credit.Plan.of(problem)
    thin = sum(credit.of_binaries(problem, plan.thinned(problem, 0.4), x) for _ in range(1500)) / 1500
    assert torch.allclose(thin, mean_credit(problem, 600), atol=0.05)


def test_the_generator_decides_alone():
    problem, before = some_ranking(), torch.random.get_rng_state()
    (first,) = torch.autograd.grad(Integrated()(problem.seeded(5)), problem.leaves[0].layout.keys, retain_graph=True)
    (second,) = torch.autograd.grad(Integrated()(problem.seeded(5)), problem.leaves[0].layout.keys, retain_graph=True)
    assert torch.equal(first, second) and torch.equal(torch.random.get_rng_state(), before)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match="integrated, idw, pull"):
        named("nearest")


def queries() -> Problem:
    """Three queries of five documents under NDCG, by the example's own loss."""
    loss, draw = generated("ndcg")(generator=torch.Generator().manual_seed(0)), np.random.default_rng(1)
    scores = torch.from_numpy(draw.normal(size=(3, 5))).requires_grad_()
    return loss.problem(scores, draw.integers(0, 3, (3, 5)))


def test_half_of_the_credit_of_an_order_goes_to_all_its_pairs_alike():
    leaves, other = queries().leaves, torch.tensor([7.0])
    given = torch.randn(leaves[-1].stop, generator=torch.Generator().manual_seed(2))
    shared = torch.cat([given, other])
    links.share_evenly(shared, leaves)
    assert torch.allclose(shared[:-1], (given + given.clamp(min=0).mean()) / 2)
    assert shared[-1] == other  # of no order


def test_orders_within_rows_take_half_as_many_samples():
    problem, whole = queries(), []
    for samples in (credit.FEW, credit.SAMPLES):
        times = credit.stratified(problem, 0.75, samples)
        assert len(times) == samples and max(times[samples // 2 :]) <= 0.25
        whole.append(times[: samples // 2])
    assert whole[1][0] <= 0.5 <= whole[1][1]
    assert credit.Plan.of(problem).samples == credit.FEW
    assert credit.Plan.of(some_ranking(5)).samples == credit.SAMPLES


def hit_rate_by_counting(scores, target):
    return ((scores > torch.gather(scores, 1, target.view(-1, 1))).sum(1) < 2).float().mean()


def hit_rate_by_sorting(scores, target):
    return (scores.topk(2, dim=1).indices == target.view(-1, 1)).any(1).float().mean()


@pytest.mark.parametrize("metric", [hit_rate_by_counting, hit_rate_by_sorting])
def test_a_rank_shares_its_credit_however_it_is_spelled(metric):
    scores = torch.randn(6, 8, generator=torch.Generator().manual_seed(1), requires_grad=True)
    target = torch.arange(6) % 8
    surrogate(metric).loss()(scores, target).backward()
    others = torch.ones(6, 8, dtype=torch.bool).scatter_(1, target.view(-1, 1), False)
    assert (scores.grad[others] > 0).all()  # every other item is pushed down, wherever it stands
    assert (scores.grad.gather(1, target.view(-1, 1)) < 0).all()


def above_a_threshold(scores, y):
    return ((scores > 0.3) == (y > 0)).float().mean()


def ordered_in_a_pool(scores, y):
    return ((scores[:, None] > scores) & (y[:, None] > y)).float().mean()


@pytest.mark.parametrize(("metric", "shape"), [(above_a_threshold, (4, 5)), (ordered_in_a_pool, (6,))])
def test_thresholds_and_pools_of_pairs_keep_their_credit(metric, shape):
    labels = torch.arange(math.prod(shape)).reshape(shape) % 3
    problem = surrogate(metric).loss().problem(torch.randn(shape), labels)
    assert problem.leaves and not any(links.ranks(problem, leaf) for leaf in problem.leaves)

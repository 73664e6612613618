"""Choose by margins: exact on ties and at other scores, total for contradictions, the softmax probability with log-sum-exp."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from metric2loss.runtime import SurrogateLoss, steps
from metric2loss.runtime.layouts import MarginLayout
from tests.runtime.hand_written import CASES, AccuracyLoss, AccuracyTorchLoss
from tests.runtime.test_exactness import KINDS, close, metric_of

CHOOSING = [
    "accuracy",
    "accuracy_torch",
    "accuracy_by_max",
    "macro_f1",
    "balanced_accuracy",
    "pck",
    "entropy_of_winners",
]
MARGINS = ["margin", "margin-lse"]


@pytest.mark.parametrize("encoding", MARGINS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CHOOSING)
def test_replay_is_exact_here_and_at_other_scores(name, kind, encoding):
    case, rng = CASES[name], np.random.default_rng(0)
    loss = case.loss(encoding=encoding)
    for _ in range(3):
        there, here = case.arguments(rng, kind), case.arguments(rng, "random")
        configuration = loss.record(*there)
        assert close(float(loss.replay(configuration, *there)), metric_of(case, there))
        assert close(float(loss.replay(configuration, *here)), metric_of(case, there))


@pytest.mark.parametrize("encoding", MARGINS)
@pytest.mark.parametrize("name", CHOOSING)
def test_the_best_configuration_is_as_good_as_with_pairs(name, encoding):
    case = CASES[name]
    arguments = case.arguments(np.random.default_rng(2), "random")
    pairs, margins = case.loss(), case.loss(encoding=encoding)
    pairs(*arguments)
    margins(*arguments)
    assert margins.best_value == pytest.approx(pairs.best_value)
    assert margins.binaries <= pairs.binaries


@pytest.mark.parametrize("encoding", MARGINS)
@pytest.mark.parametrize("name", CHOOSING)
def test_many_configurations_at_once_equal_the_loop(name, encoding):
    case = CASES[name]
    loss = case.loss(encoding=encoding)
    problem = loss.problem(*case.arguments(np.random.default_rng(2), "random"))
    draw = torch.Generator().manual_seed(0)
    flips = torch.randint(-1, problem.size, (20, 1), generator=draw)
    together = problem.values(problem.bits, flips)
    loss._batching["g"].settle("loop", "for this test")
    assert torch.allclose(problem.values(problem.bits, flips), together, rtol=1e-5, atol=1e-7, equal_nan=True)


def test_one_binary_a_row_of_two_outcomes_and_one_a_class_of_several():
    labels = torch.arange(6) % 3
    accuracy = AccuracyTorchLoss(encoding="margin")
    accuracy(torch.randn(6, 3), labels)
    assert accuracy.binaries == 6
    case = CASES["macro_f1"]
    several = case.loss(encoding="margin")
    several(*case.arguments(np.random.default_rng(0), "random"))
    assert several.binaries == 15 * 4


@pytest.mark.parametrize("interpolant", ["direct", "multilinear"])
def test_accuracy_becomes_the_mean_softmax_probability(interpolant):
    draw = torch.Generator().manual_seed(0)
    scores = (20 * torch.randn(9, 6, generator=draw, dtype=torch.double)).requires_grad_()
    labels = torch.arange(9) % 6
    value = AccuracyLoss(interpolant, encoding="margin-lse")(scores, labels)
    by_hand = 1 - torch.softmax(scores, 1)[torch.arange(9), labels].mean()
    assert float(value.detach()) == pytest.approx(float(by_hand.detach()), abs=1e-7)
    found, expected = (torch.autograd.grad(x, scores)[0] for x in (value, by_hand))
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-8)


def layout(local: list[list[int]], keys: torch.Tensor, soft: bool) -> MarginLayout:
    classes = torch.tensor(local)
    n = classes.shape[1]
    return MarginLayout(classes, keys.reshape(-1), torch.arange(n).expand(classes.shape), (len(local),), True, soft)


def test_margins_of_several_classes_are_log_odds():
    keys = torch.tensor([[1.0, -2.0, 0.5, 800.0], [3.0, 3.0, -1.0, 0.0]], dtype=torch.double)
    soft = layout([[0, 1, 1, 2], [5, 5, 5, 7]], keys, True)
    p = torch.softmax(keys, 1)
    shares = torch.tensor([[p[0, 0], p[0, 1] + p[0, 2], p[0, 3]], [p[1, :3].sum(), p[1, 3], 0]], dtype=torch.double)
    assert soft.size == 3 + 1
    assert torch.allclose(torch.sigmoid(soft.differences()), torch.stack([*shares[0], shares[1, 0]]), atol=1e-12)
    hard = layout([[0, 1, 1, 2], [5, 5, 5, 7]], keys, False)
    assert hard.differences().tolist() == [1.0 - 800, 0.5 - 800, 799, 3.0]


@pytest.mark.parametrize("soft", [False, True])
def test_margins_have_a_gradient_where_scores_are_far_apart(soft):
    keys = torch.tensor([[900.0, -900.0, 0.0], [0.0, 0.0, 0.0]], dtype=torch.double, requires_grad=True)
    (found,) = torch.autograd.grad(layout([[0, 1, 2], [0, 0, 1]], keys, soft).differences().sum(), keys)
    assert torch.isfinite(found).all() and found[0].any() and found[1].any()


def test_every_configuration_is_some_choice_and_contradictions_favour_no_class():
    rows = 12
    several = layout([[0, 1, 2]] * rows, torch.zeros(rows, 3), False)
    for bits in itertools.product([False, True], repeat=3):
        winners = several.winner_class(torch.tensor(bits * rows).unsqueeze(0))[0]
        claims = {k for k in range(3) if bits[k]} or {0, 1, 2}
        assert set(winners.tolist()) == claims
        counts = torch.bincount(winners, minlength=3)[list(claims)]
        assert counts.min() == counts.max()


class SecondBestLoss(SurrogateLoss):
    """Mean value of what is chosen, rows of one, two and three outcomes."""

    direction, scores, library = "maximize", ("scores",), "torch"

    def f(self, scores, worth):
        rows = torch.arange(len(scores))
        return steps.choose.differences(scores, 1, outcome=lambda chosen: worth[rows, chosen])

    def g(self, binaries, worth):
        return steps.choose.result(binaries).mean()


@pytest.mark.parametrize("encoding", MARGINS)
def test_rows_with_different_numbers_of_outcomes(encoding):
    worth = torch.tensor([[1.0, 1.0, 1.0], [0.0, 2.0, 2.0], [0.0, 1.0, 5.0]], dtype=torch.double)
    loss = SecondBestLoss("direct", encoding=encoding)
    scores = torch.randn(3, 3, generator=torch.Generator().manual_seed(1), dtype=torch.double).requires_grad_()
    value = loss(scores, worth)
    assert loss.binaries == 0 + 1 + 3 and loss.best_value == pytest.approx(8 / 3)
    if encoding == "margin-lse":
        mean = (torch.softmax(scores, 1) * worth).sum(1).mean()
        assert float(value.detach()) == pytest.approx(float((8 / 3 - mean).detach()))
        assert torch.allclose(*(torch.autograd.grad(x, scores)[0] for x in (value, -mean)))


def test_an_unknown_encoding_is_refused():
    with pytest.raises(ValueError, match="pairs, margin, margin-lse"):
        AccuracyTorchLoss(encoding="triples")


@pytest.mark.parametrize("encoding", MARGINS)
@pytest.mark.parametrize("name", ["accuracy", "pck", "macro_f1", "entropy_of_winners"])
def test_there_is_no_plateau(name, encoding):
    case = CASES[name]
    loss = case.loss(encoding=encoding, generator=torch.Generator().manual_seed(0))
    for seed in range(8):
        scores, *others = case.arguments(np.random.default_rng(seed), "random")
        scores = (5 * torch.as_tensor(scores)).requires_grad_()
        loss(scores, *others).backward()
        assert bool(scores.grad.any()) or float(loss.metric) == loss.best_value

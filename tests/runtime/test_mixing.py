"""L = α · primary + β · surrogate: the paper's weights and schedules, and its CE + EL from the compiled accuracy."""

from __future__ import annotations

import copy

import pytest
import torch

from metric2loss.runtime.mixing import Mixed, weights
from tests.runtime.hand_written import AccuracyLoss, AveragePrecisionTorchLoss
from tests.test_examples import generated


def batch(n: int = 8, classes: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    return (3 * torch.randn(n, classes, generator=draw, dtype=torch.double)).requires_grad_(), torch.arange(n) % classes


def expected(logits: torch.Tensor, labels: torch.Tensor, f: float) -> torch.Tensor:
    """The paper's formula, written out."""
    alpha, beta = (0, 1) if f == 0.5 else (1, 1 / (1 - 2 * f))
    right = torch.softmax(logits, 1)[torch.arange(len(labels)), labels]
    return (alpha * -torch.log(right) + beta * (1 - right)).mean()


@pytest.mark.parametrize("f", [0.0, 0.1, 0.3, 0.4, 0.5])
@pytest.mark.parametrize("interpolant", ["direct", "multilinear"])
def test_cross_entropy_and_expectation_loss(interpolant, f):
    logits, labels = batch()
    criterion = Mixed(torch.nn.CrossEntropyLoss(), AccuracyLoss(interpolant, encoding="margin-lse"), f)
    found = criterion(logits, labels)
    by_hand = expected(logits, labels, f)
    assert float(found.detach()) == pytest.approx(float(by_hand.detach()), rel=1e-6)
    (gradient,) = torch.autograd.grad(found, logits)
    (by_autograd,) = torch.autograd.grad(by_hand, logits)
    assert torch.allclose(gradient, by_autograd, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("example", ["accuracy", "accuracy_torch"])
@pytest.mark.parametrize("f", [0.0, 0.4, 0.5])
def test_cross_entropy_and_expectation_loss_of_a_compiled_accuracy(example, f):
    logits, labels = batch()
    criterion = Mixed(torch.nn.CrossEntropyLoss(), generated(example)("direct", encoding="margin-lse"), f)
    found, by_hand = criterion(logits, labels), expected(logits, labels, f)
    assert float(found.detach()) == pytest.approx(float(by_hand.detach()), rel=1e-6)
    (gradient,) = torch.autograd.grad(found, logits)
    (by_autograd,) = torch.autograd.grad(by_hand, logits)
    assert torch.allclose(gradient, by_autograd, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("encoding", ["pairs", "margin-lse"])
def test_the_default_at_its_ends_teaches_as_the_two_terms_do(encoding):
    logits, labels = batch()
    both, expectation = (torch.autograd.grad(expected(logits, labels, f), logits)[0] for f in (0.0, 0.5))
    for end, wanted in ((0.0, both - expectation), (1.0, expectation)):
        loss = generated("accuracy_torch")(encoding=encoding, first=end, last=end)
        (gradient,) = torch.autograd.grad(loss(logits, labels), logits)
        assert torch.allclose(gradient, wanted, rtol=1e-5, atol=1e-8)


def test_weights_are_those_of_the_paper():
    assert [weights(f) for f in (0.0, 0.25, 0.4, 0.5)] == [(1, 1), (1, 2), (1, pytest.approx(5)), (0, 1)]
    with pytest.raises(ValueError, match="F is in"):
        weights(0.6)


@pytest.mark.parametrize(
    ("schedule", "seen"),
    [
        ("equal", [0.0] * 20),
        ("late", [0.0] * 19 + [0.5]),
        ("gradual", [0.0] * 4 + [0.1] * 3 + [0.2] * 3 + [0.3] * 4 + [0.4] * 3 + [0.5] * 3),
        ([0.0, 0.5], [0.0] * 10 + [0.5] * 10),
        (((0.0, 0.2), (0.25, 0.4)), [0.2] * 5 + [0.4] * 15),
    ],
    ids=["equal", "late", "gradual", "two phases", "pairs"],
)
def test_schedules_follow_the_progress(schedule, seen):
    logits, labels = batch()
    criterion = Mixed(torch.nn.CrossEntropyLoss(), AccuracyLoss(total_steps=20), schedule)
    found = []
    for _ in range(20):
        criterion(logits, labels)
        found.append(criterion.F)
    assert found == pytest.approx(seen)


def test_the_derived_primary_needs_no_metric_and_no_second_batch():
    draw = torch.Generator().manual_seed(0)
    scores = torch.randn(12, generator=draw, dtype=torch.double).requires_grad_()
    labels = torch.arange(12) % 3 == 0

    def loss(name: str) -> AveragePrecisionTorchLoss:
        return AveragePrecisionTorchLoss(name, generator=torch.Generator().manual_seed(5))

    (mixed,) = torch.autograd.grad(Mixed("pull", loss("idw"), 0.25)(scores, labels), scores)
    (pull,) = torch.autograd.grad(loss("pull")(scores, labels), scores)
    (idw,) = torch.autograd.grad(loss("idw")(scores, labels), scores)
    assert torch.allclose(mixed, pull + 2 * idw)


def test_state_is_the_surrogates():
    logits, labels = batch()
    criterion = Mixed(torch.nn.CrossEntropyLoss(), AccuracyLoss(total_steps=4), "late")
    criterion(logits, labels)
    criterion(logits, labels)
    again = copy.deepcopy(criterion)
    other = Mixed(torch.nn.CrossEntropyLoss(), AccuracyLoss(total_steps=4), "late")
    other.load_state_dict(criterion.state_dict())
    assert int(again.surrogate.taken) == int(other.surrogate.taken) == 2
    assert criterion.metric.shape == () and "F=[0.0, 0.5]" in repr(criterion)


@pytest.mark.parametrize("wrong", ["daily", [], [(0.5, 0.1)], [0.7], [(0.0, 0.1), (0.9, 0.2), (0.5, 0.3)]])
def test_schedules_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="schedule|phases|F is"):
        Mixed(torch.nn.CrossEntropyLoss(), AccuracyLoss(), wrong)
    with pytest.raises(ValueError, match="pull"):
        Mixed("push", AccuracyLoss())

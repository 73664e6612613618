"""Remembered examples join the batch: value of the joined batch, gradient of the current one, state that can be saved."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch

from metric2loss.diagnostics import MetricError
from tests.runtime.hand_written import AccuracyLoss, AveragePrecisionLoss, AveragePrecisionTorchLoss, F1Loss

KINDS = [AveragePrecisionLoss, AveragePrecisionTorchLoss]


def batches(amount: int = 4, n: int = 8) -> list[tuple[torch.Tensor, torch.Tensor]]:
    draw = torch.Generator().manual_seed(0)
    scores = [torch.randn(n, generator=draw, dtype=torch.double).requires_grad_() for _ in range(amount)]
    return [(x, (torch.arange(n) + k) % 3 == 0) for k, x in enumerate(scores)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_metric_is_that_of_the_joined_batch(kind):
    remembering, plain = kind(memory=20), kind()
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []
    for scores, labels in batches():
        value = remembering(scores, labels.long())
        joined = [(scores, labels), *seen]
        x, y = (torch.cat([pair[k] for pair in joined]) for k in range(2))
        x, y = x[: 8 + 20].detach(), y[: 8 + 20]
        expected = plain(x, y.long())
        assert float(remembering.metric) == float(plain.metric)
        assert float(value.detach()) == pytest.approx(float(expected.detach()))
        seen.insert(0, (scores.detach(), labels))


@pytest.mark.parametrize("interpolant", ["integrated", "idw", "multilinear"])
def test_only_the_current_batch_gets_a_gradient(interpolant):
    draw = torch.Generator().manual_seed(0)
    loss = AveragePrecisionTorchLoss(interpolant, memory=16, generator=draw)
    (old, labels), (new, others) = batches(2)
    loss(old, labels.long())
    loss(new, others.long()).backward()
    assert old.grad is None and bool(new.grad.any())


def test_the_gradient_is_the_current_part_of_the_joined_ones():
    def loss(**options: int) -> AveragePrecisionTorchLoss:
        return AveragePrecisionTorchLoss("pull", **options)

    (old, labels), (new, others) = batches(2)
    remembering = loss(memory=16)
    remembering(old, labels.long())
    (found,) = torch.autograd.grad(remembering(new, others.long()), new)
    whole = torch.cat([new, old]).detach().requires_grad_()
    (expected,) = torch.autograd.grad(loss()(whole, torch.cat([others, labels]).long()), whole)
    assert torch.allclose(found, expected[:8])


def test_arguments_that_are_no_examples_do_not_join():
    loss = F1Loss(memory=8)
    for scores, labels in batches(3):
        loss(torch.sigmoid(scores), labels.long(), 0.5)
    assert loss.binaries == 16 and len(loss._memory) == 8


def test_lists_join_too_and_the_callers_arrays_may_change():
    loss = AveragePrecisionLoss(memory=8)
    targets = np.array([1, 0, 1, 0])
    loss([0.1, 0.2, 0.3, 0.4], targets)
    targets[:] = 0
    loss([0.5, 0.6], np.array([0, 1]))
    assert loss.binaries == 3 * 3


def test_evaluation_reads_the_memory_and_leaves_it():
    loss = AveragePrecisionTorchLoss(memory=32)
    (first, labels), (second, others) = batches(2)
    loss(first, labels.long())
    with torch.no_grad():
        loss(second, others.long())
    loss.eval()
    loss(second, others.long())
    assert len(loss._memory) == 8


@pytest.mark.parametrize("kind", KINDS)
def test_state_dict_pickle_and_deepcopy_keep_it(kind, tmp_path):
    (first, labels), (second, others) = batches(2)
    loss = kind("pull", memory=8)
    loss(first, labels.long())
    other = kind("pull", memory=8)
    torch.save(loss.state_dict(), tmp_path / "state")
    other.load_state_dict(torch.load(tmp_path / "state", weights_only=True))
    expected = float(copy.deepcopy(loss)(second, others.long()).detach())
    for again in (other, copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert float(again(second, others.long()).detach()) == expected
    fresh = kind("pull", memory=8)
    assert float(fresh(second, others.long()).detach()) != expected


def test_a_mean_over_rows_has_no_use_for_it():
    with pytest.raises(MetricError) as error:
        AccuracyLoss(memory=8)(torch.randn(4, 3), torch.tensor([0, 1, 2, 0]))
    assert error.value.diagnostics[0].code == "M2L509"

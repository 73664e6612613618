"""Every interpolant and encoding behaves as torch losses do: dtypes, autocast, copies, accumulation, no warnings."""

from __future__ import annotations

import copy
import io
import pickle
import warnings

import numpy as np
import pytest
import torch

from metric2loss.runtime.interpolants import NAMES
from tests.runtime.hand_written import CASES

DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
ENCODINGS = ["pairs", "margin", "margin-lse"]
METRICS = {"accuracy": "numpy", "accuracy_torch": "torch"}
OTHERS = ["average_precision_torch", "separation", "macro_f1"]
WAYS = [(name, interpolant, encoding) for name in METRICS for interpolant in NAMES for encoding in ENCODINGS] + [
    (name, interpolant, "pairs")
    for name in OTHERS
    for interpolant in NAMES
    if interpolant != "direct" or name == "separation"
]
IDS = ["-".join(way) for way in WAYS]


def loss_of(way, seed=0):
    name, interpolant, encoding = way
    return CASES[name].loss(interpolant, encoding=encoding, generator=torch.Generator().manual_seed(seed))


def batch(way, dtype=torch.float64, seed=0):
    scores, *others = CASES[way[0]].arguments(np.random.default_rng(seed), "random")
    return torch.as_tensor(scores).to(dtype).requires_grad_(), *others


@pytest.mark.parametrize("way", WAYS, ids=IDS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_dtypes(way, dtype):
    scores, *others = batch(way, dtype)
    loss = loss_of(way)
    value = loss(scores, *others)
    value.backward()
    assert scores.grad.dtype == dtype and value.dtype in (dtype, torch.float32)
    assert bool(torch.isfinite(value)) and float(value.detach()) >= 0
    assert bool(torch.isfinite(scores.grad).all()) and bool(scores.grad.any())
    assert loss.metric.dtype == torch.float64


@pytest.mark.parametrize("way", WAYS, ids=IDS)
def test_half_precision_points_where_double_does(way):
    gradients = []
    for dtype in (torch.float64, torch.bfloat16):
        scores, *others = batch(way, dtype)
        exact = scores.detach().bfloat16().to(dtype).requires_grad_()  # the same numbers
        loss_of(way)(exact, *others).backward()
        gradients.append(exact.grad.double().reshape(-1))
    assert float(torch.cosine_similarity(*gradients, dim=0)) > 0.97


@pytest.mark.parametrize("way", WAYS, ids=IDS)
def test_autocast_is_neutral(way):
    found = []
    for enabled in (False, True):
        scores, *others = batch(way, torch.float32)
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            value = loss_of(way)(scores, *others)
        value.backward()
        found.append((float(value.detach()), scores.grad))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-2, abs=1e-3)
    assert float(torch.cosine_similarity(found[0][1].reshape(-1), found[1][1].reshape(-1), dim=0)) > 0.97


@pytest.mark.parametrize("way", WAYS, ids=IDS)
def test_copies_continue_alike(way):
    loss = loss_of(way)
    scores, *others = batch(way)
    loss(scores, *others).backward()
    expected = None
    for again in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss)), loss):
        fresh, *others = batch(way, seed=1)
        again(fresh, *others).backward()
        expected = fresh.grad if expected is None else expected
        assert torch.equal(fresh.grad, expected)


@pytest.mark.parametrize("way", WAYS, ids=IDS)
def test_gradients_accumulate_and_nothing_warns(way):
    loss = loss_of(way)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores, *others = batch(way)
        value = loss(scores, *others)
        value.backward(retain_graph=True)
        once = scores.grad.clone()
        (2 * value).backward()
    assert torch.allclose(scores.grad, 3 * once)
    assert not list(loss.parameters())


@pytest.mark.parametrize("interpolant", NAMES)
def test_state_goes_from_loss_to_loss(interpolant):
    way = ("separation", interpolant, "pairs")
    loss, other = loss_of(way), loss_of(way, seed=7)
    for seed in range(3):
        scores, *others = batch(way, seed=seed)
        loss(scores, *others).backward()
    assert interpolant != "integrated" or float(loss.credit) > 0
    file = io.BytesIO()
    torch.save(loss.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True))
    assert all(
        torch.equal(value.nan_to_num(), other.state_dict()[name].nan_to_num())
        for name, value in loss.state_dict().items()
        if isinstance(value, torch.Tensor)
    )
    gradients = []
    for each in (loss, other):
        each._random.generator.manual_seed(3)
        scores, *others = batch(way, seed=9)
        each(scores, *others).backward()
        gradients.append(scores.grad)
    assert torch.equal(*gradients)

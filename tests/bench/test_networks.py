"""Shapes and sizes of the papers' networks, and one step of training each with a hand-made and a compiled loss."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bench.handmade.cross_entropy import binary_cross_entropy, cross_entropy
from bench.handmade.heatmaps import bump_error
from bench.handmade.ranking import PADDED, lambdarank
from bench.networks.hourglass import small_hourglass, stacked_hourglass
from bench.networks.perceptron import Ranker, perceptron
from bench.networks.resnet import resnet
from examples.metrics.accuracy import accuracy
from examples.metrics.average_precision import average_precision
from examples.metrics.ndcg import ndcg_at_k
from examples.metrics.pckh import pckh
from metric2loss import compile_metric


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("depth", "millions"), [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7)]
)  # the paper's table 6
def test_residual_networks_have_the_published_number_of_parameters(depth: int, millions: float) -> None:
    assert parameters(resnet(depth, 10)) / 1e6 == pytest.approx(millions, abs=0.05 if millions > 1 else 0.006)


def test_one_stack_of_hourglass_has_about_the_published_number_of_parameters() -> None:
    # Newell et al. give no number; implementations of one stack of theirs have 3.6 million (16 joints)
    assert parameters(stacked_hourglass(16)) / 1e6 == pytest.approx(3.6, abs=0.3)


def test_the_paper_s_perceptron_has_500_and_300_hidden_units() -> None:
    assert parameters(perceptron(784, (500, 300))) == 784 * 500 + 500 + 500 * 300 + 300 + 300 + 1


def test_a_depth_that_is_no_residual_network_is_refused() -> None:
    with pytest.raises(ValueError, match="6 n"):
        resnet(21, 10)


def test_padding_is_scored_last_whatever_its_features() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 3, 5)
    x[..., -1] = torch.tensor([[1, 1, 0], [1, 0, 0]])
    scores = Ranker(4, (8,))(x)
    assert ((scores == PADDED) == (x[..., -1] == 0)).all()


def test_bytes_and_fractions_of_a_picture_give_the_same_heat_maps() -> None:
    network, picture = stacked_hourglass(2, width=16, levels=2).eval(), torch.randint(0, 256, (1, 3, 64, 64)).byte()
    with torch.no_grad():
        assert torch.allclose(network(picture), network(picture.float() / 255))


Case = tuple[Callable[[], nn.Module], tuple[int, ...], tuple[int, ...], Any, Any, Callable[[int], tuple[Tensor, ...]]]


def binary(n: int) -> tuple[Tensor, ...]:
    return (torch.arange(n) % 3 == 0).long().unsqueeze(0).unbind(0)


def classes(n: int) -> tuple[Tensor, ...]:
    return (torch.arange(n) % 10,)


def joints(n: int, side: int) -> tuple[Tensor, ...]:
    return torch.randint(0, side, (n, 2, 2)), torch.full((n,), side / 8, dtype=torch.float64)


def grades(n: int) -> tuple[Tensor, ...]:
    return (torch.randint(0, 4, (n, 12)),)


CASES: dict[str, Case] = {
    "perceptron": (
        lambda: perceptron(784, (500, 300)),
        (16, 1, 28, 28),
        (16,),
        binary_cross_entropy,
        average_precision,
        binary,
    ),
    "resnet-20": (lambda: resnet(20, 10), (8, 3, 32, 32), (8, 10), cross_entropy, accuracy, classes),
    "small resnet": (lambda: resnet(8, 10, 8, 1), (8, 1, 8, 8), (8, 10), cross_entropy, accuracy, classes),
    "hourglass": (
        lambda: stacked_hourglass(2),
        (2, 3, 256, 256),
        (2, 2, 64, 64),
        bump_error,
        pckh,
        partial(joints, side=64),
    ),
    "hourglass at 224": (
        lambda: stacked_hourglass(2, levels=3),
        (2, 3, 224, 224),
        (2, 2, 56, 56),
        bump_error,
        pckh,
        partial(joints, side=56),
    ),
    "small hourglass": (
        lambda: small_hourglass(2),
        (4, 1, 24, 24),
        (4, 2, 24, 24),
        bump_error,
        pckh,
        partial(joints, side=24),
    ),
    "ranker": (lambda: Ranker(7, (16,)), (3, 12, 8), (3, 12), lambdarank, ndcg_at_k, grades),
}


@pytest.mark.parametrize("compiled", [False, True], ids=["hand-made", "compiled"])
@pytest.mark.parametrize("name", CASES)
def test_a_step_changes_every_layer(name: str, compiled: bool) -> None:
    make, shape, scores_shape, handmade, metric, targets_of = CASES[name]
    torch.manual_seed(0)
    network = make()
    x = torch.randn(shape)
    if name == "ranker":
        x[..., -1] = 1
    scores = network(x)
    assert scores.shape == scores_shape
    criterion = compile_metric(metric)(generator=torch.Generator().manual_seed(0)) if compiled else handmade
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    criterion(scores, *targets_of(shape[0])).backward()
    optimizer.step()
    weights = [module.weight for module in network.modules() if isinstance(module, (nn.Linear, nn.Conv2d))]
    for weight in weights:
        assert weight.grad is not None and torch.isfinite(weight.grad).all()
        assert weight.grad.abs().sum() > 0

"""Layouts: exact for configurations of some scores, total for all others; flips equal dense configurations."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from metric2loss.runtime import steps
from metric2loss.runtime.layouts import OrderLayout
from metric2loss.runtime.layouts.base import turned
from metric2loss.runtime.layouts.order import Arrangement
from metric2loss.runtime.masks import true_along


def made(kind, seed=0):
    rng = np.random.default_rng(seed)
    x = torch.tensor(rng.normal(size=(3, 6)), requires_grad=True)
    labels = torch.tensor(rng.integers(0, 3, (3, 6)))
    target = torch.tensor(rng.integers(0, 6, 3))
    return {
        "order": lambda: steps.order.differences(x, descending=True),
        "order of classes": lambda: steps.order.differences(x, descending=True, told_apart_by=(labels,)),
        "order of two classes": lambda: steps.order.differences(x, told_apart_by=(torch.tensor([0, 1, 1, 0, 0, 1]),)),
        "order along the first axis": lambda: steps.order.differences(x, dim=0),
        "topk": lambda: steps.order.differences(x, 2, using="topk", told_apart_by=(labels,)),
        "choose": lambda: steps.choose.differences(x, dim=1),
        "choose among all": lambda: steps.choose.differences(x),
        "choose with keepdim": lambda: steps.choose.differences(x, 1, True, using="argmin"),
        "choose an outcome": lambda: steps.choose.differences(x, dim=1, outcome=lambda index: index == target),
        "choose one of three outcomes": lambda: steps.choose.differences(x, dim=1, outcome=lambda index: index // 2),
        "choose a place": lambda: steps.choose.differences(
            x, dim=1, outcome=lambda index: torch.stack([index // 3, index % 3], -1)
        ),
        "compare": lambda: steps.compare.differences(x, "==", 0.1),
        "round": lambda: steps.rounding.differences(x * 3),
        "digitize": lambda: steps.binning.differences(x, torch.tensor([-0.5, 0.5]), using="bucketize"),
        "sign": lambda: steps.sign.differences(x),
    }[kind]()


KINDS = [
    "order",
    "order of classes",
    "order of two classes",
    "order along the first axis",
    "topk",
    "choose",
    "choose among all",
    "choose with keepdim",
    "choose an outcome",
    "choose one of three outcomes",
    "choose a place",
    "compare",
    "round",
    "digitize",
    "sign",
]


@pytest.mark.parametrize("kind", KINDS)
def test_flips_equal_dense_configurations(kind):
    layout = made(kind).layout
    draw = torch.Generator().manual_seed(0)
    base = torch.rand(layout.size, generator=draw) < 0.5
    for width in (1, 3, layout.size):
        flips = torch.stack([torch.randperm(layout.size, generator=draw)[:width] for _ in range(7)])
        flips = torch.where(torch.rand(flips.shape, generator=draw) < 0.2, -1, flips)
        assert torch.equal(layout.flipped(base, flips), layout.result(turned(base, flips)))
    assert layout.result(base.unsqueeze(0)).numel() <= layout.numel


@pytest.mark.parametrize("n", [2, 3, 4, 7, 20])
def test_single_flips_of_one_order_exchange_neighbours(n):
    """The items at each place are of the same class as when the order is sorted anew."""
    draw = torch.Generator().manual_seed(n)
    for _ in range(30):
        classes = torch.rand(1, n, generator=draw).lt(0.4).long().index_fill_(1, torch.tensor([0]), 0)
        classes[0, -1] = 1
        layout = OrderLayout(classes, torch.zeros(n), Arrangement((n,), 0), n)
        base = torch.rand(layout.size, generator=draw) < torch.rand(1, generator=draw)
        flips = torch.arange(-1, layout.size).unsqueeze(1)
        found, anew = layout.flipped(base, flips), layout.permutations(layout.flipped_counts(base, flips))
        assert torch.equal(found.sort(1)[0], torch.arange(n).expand(len(flips), n))
        assert torch.equal(classes[0][found], classes[0][anew])
        others = torch.rand(5, layout.size, generator=draw) < 0.5
        together = layout.around([(base, flips), (~base, flips[:1])], others)
        assert torch.equal(together[: len(found)], found)
        assert torch.equal(together[-5:], layout.permutations(layout.counts(others)))


def test_long_orders_are_sorted_like_short_ones():
    draw, n = torch.Generator().manual_seed(0), 2**14 + 3
    classes = torch.zeros(1, n, dtype=torch.long).index_fill_(1, torch.tensor([7, 9000]), 1)
    layout = OrderLayout(classes, torch.zeros(n), Arrangement((n,), 0), n)
    others = torch.rand(3, layout.size, generator=draw) < 0.5
    flips = torch.tensor([[-1], [5], [layout.size - 1]])
    found = layout.around([(others[0], flips)], others)
    assert torch.equal(found[3:], layout.permutations(layout.counts(others)))
    anew = layout.permutations(layout.flipped_counts(others[0], flips))
    assert torch.equal(classes[0][found[:3]], classes[0][anew])


@pytest.mark.parametrize("shape", [(3, 1, 16, 48), (2, 2, 5, 13), (1, 300, 9), (2, 700, 1), (1, 1)])
@pytest.mark.parametrize("share", [0.5, 1.0])
def test_true_entries_are_counted_along_both_axes(shape, share):
    bits = torch.rand(shape, generator=torch.Generator().manual_seed(0)) < share
    last, before = true_along(bits)
    assert torch.equal(last, bits.sum(-1)) and torch.equal(before, bits.sum(-2))


@pytest.mark.parametrize("start", [0, 3, 8, 14])
@pytest.mark.parametrize("n", [8, 9])
def test_true_entries_are_counted_wherever_they_stand_in_memory(start, n):
    bits = torch.rand(start + 4 * n, generator=torch.Generator().manual_seed(0))[start:].lt(0.5)
    part = torch.cat([torch.ones(start, dtype=torch.bool), bits])[start:].reshape(2, 2, n)
    for view in (part, part.transpose(0, 1), part[:, :1]):
        last, before = true_along(view)
        assert torch.equal(last, view.sum(-1)) and torch.equal(before, view.sum(-2))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_read_has_the_shape_and_dtype_of_the_users_call(kind):
    x = made(kind)
    assert x.layout.size == len(x.values) == len(x.bits) == len(x.layout.row_of) > 0
    assert int(x.layout.row_of.max()) < x.layout.n_rows
    wanted = {
        "order": (3, 6),
        "topk": (3, 2),
        "choose": (3,),
        "choose among all": (),
        "choose with keepdim": (3, 1),
        "choose an outcome": (3,),
        "choose a place": (3, 2),
        "compare": (3, 6),
    }
    assert tuple(x.read().shape) == wanted.get(kind, tuple(x.read().shape))
    assert x.read().dtype == {"choose an outcome": torch.bool, "compare": torch.bool, "sign": torch.float64}.get(
        kind, torch.float64 if kind == "round" else torch.int64
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["order", "order of classes", "order of two classes", "topk"])
def test_every_configuration_gives_a_ranking(kind, seed):
    layout = made(kind, seed).layout
    bits = torch.rand(200, layout.size, generator=torch.Generator().manual_seed(seed)) < 0.5
    order = layout.result(bits)
    places = torch.sort(order, dim=-1)[0]
    assert bool((places.diff(dim=-1) > 0).all()) and int(places.min()) >= 0 and int(places.max()) < 6


def test_consistent_configurations_give_the_labels_in_order():
    labels = torch.tensor([0, 1, 2, 1, 0, 2, 1])
    for seed in range(50):
        x = torch.randn(7, generator=torch.Generator().manual_seed(seed)).requires_grad_()
        found = steps.order.differences(x, descending=True, told_apart_by=(labels,))
        assert found.layout.size == 16  # all pairs but those inside classes
        assert torch.equal(labels[found.read()], labels[torch.argsort(x, descending=True)])


def test_two_outcomes_are_decided_by_any_of_all():
    good = torch.tensor([False, True, True, False, False])
    x = torch.randn(1, 5, requires_grad=True)
    layout = steps.choose.differences(x, dim=1, outcome=lambda index: good[index]).layout
    assert layout.size == 6
    wins = torch.tensor(list(itertools.product([False, True], repeat=6)))
    expected = wins.reshape(-1, 2, 3).all(2).any(1)  # some good candidate beats all others
    assert torch.equal(layout.result(wins).squeeze(1), expected)
    assert set(layout.beats.tolist()) == {1, 2}


def test_pairs_are_listed_once_and_only_between_classes():
    labels = torch.tensor([[0, 1, 1, 2], [3, 3, 3, 3], [0, 0, 1, 1]])
    x = torch.randn(3, 4, requires_grad=True)
    layout = steps.order.differences(x, dim=1, told_apart_by=(labels,)).layout
    pairs = {tuple(sorted(pair)) for pair in zip(layout.ahead.tolist(), layout.behind.tolist())}
    flat = labels.reshape(-1).tolist()
    wanted = {(a, b) for a, b in itertools.combinations(range(12), 2) if a // 4 == b // 4 and flat[a] != flat[b]}
    assert pairs == wanted and layout.size == len(wanted)
    assert layout.row_of.tolist() == [a // 4 for a in layout.ahead.tolist()]


def test_ties_are_decided_by_the_users_own_call():
    rng = np.random.default_rng(0)
    from metric2loss.runtime.arrays import Array

    for _ in range(10):
        scores = rng.integers(0, 5, 300).astype(float)
        labels = rng.integers(0, 2, 300)
        x = Array(scores, torch.tensor(scores, requires_grad=True))
        order = steps.order.differences(-x, told_apart_by=(labels,)).read()
        assert np.array_equal(labels[order], labels[np.argsort(-scores)])


def test_a_step_on_something_passive_is_the_users_own_result():
    x = np.array([3.0, 1.0, 2.0])
    found = steps.order.differences(x)
    assert found.layout.size == 0 and found.layout.kind == "fixed"
    assert np.array_equal(found.read(), np.argsort(x))


def test_probabilities_against_constants_are_compared_as_logits():
    p = torch.tensor([0.1, 0.5, 1.0], dtype=torch.float64, requires_grad=True)
    found = steps.compare.differences(p, ">", 0.25)
    assert float(found.values[0].detach()) == pytest.approx(np.log(0.1 / 0.9) - np.log(0.25 / 0.75))
    found.values.sum().backward()
    assert bool(torch.isfinite(p.grad).all())
    plain = steps.compare.differences(torch.tensor([0.1, 1.5], requires_grad=True), ">", 0.25)
    assert float(plain.values[0].detach()) == pytest.approx(-0.15)


def test_shared_differences_have_one_binary_for_each_side_of_a_tie():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    found = steps.compare.differences(x, (">", "=="), 1.0)
    assert found.layout.size == 4
    assert found.read(">").tolist() == [False, True] and found.read("==").tolist() == [True, False]
    with pytest.raises(TypeError, match="which comparison"):
        found.read()
    assert steps.compare.differences(x, (">", "<="), 1.0).layout.size == 2


@pytest.mark.parametrize("axis", [0, 1, None])
def test_axes_of_numpys_order(axis):
    from metric2loss.runtime.arrays import Array

    scores = np.random.default_rng(0).integers(0, 3, (3, 4)).astype(float)
    x = Array(scores, torch.tensor(scores, requires_grad=True))
    assert np.array_equal(steps.order.differences(x, axis=axis).read(), np.argsort(scores, axis=axis))
    assert np.array_equal(steps.choose.differences(x, axis=axis).read(), np.argmax(scores, axis=axis))


def test_true_entries_are_counted_in_part_of_a_list():
    every = torch.rand(6 + 3 * 8, generator=torch.Generator().manual_seed(0)) < 0.5
    part = every[6:].reshape(3, 8)
    last, before = true_along(part)
    assert torch.equal(last, part.sum(-1))
    assert torch.equal(before, part.sum(-2))

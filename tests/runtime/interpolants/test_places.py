"""The usual credit of pairs by the places they stand at: what it is of one batch, of many, and where nothing is said."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch

from metric2loss import surrogate
from metric2loss.runtime.interpolants import links
from metric2loss.runtime.interpolants.places import Places
from metric2loss.runtime.side import Side
from metric2loss.runtime.split import Split


@surrogate
def first_tenth(scores, labels):
    top = np.argsort(-scores)[: max(len(scores) // 10, 1)]
    return labels[top].mean()


@surrogate
def separation(scores, labels):
    y = labels[np.argsort(-scores)]
    return np.abs(np.cumsum(y) / max(y.sum(), 1) - np.cumsum(1 - y) / max((1 - y).sum(), 1)).max()


def an_order(n: int = 20, seed: int = 0) -> Split:
    drawn = torch.Generator().manual_seed(seed)
    keys = torch.randn(n, generator=drawn, requires_grad=True)
    return Split(keys, Side.of((torch.rand(n, generator=drawn) < 0.4).unsqueeze(0)))


def tenths(split: Split) -> tuple[torch.Tensor, torch.Tensor]:
    """Which tenth of the order each winner and each loser stands in."""
    rank = split.keys.detach().argsort(descending=True).argsort() * 10 // split.keys.numel()
    return rank[split.good[0]], rank[split.bad[0]]


def test_the_usual_credit_of_a_pair_is_the_mean_of_the_pairs_at_its_places():
    split, known = an_order(40), Places()
    winners, losers = tenths(split)
    credit = torch.rand(len(winners), len(losers), generator=torch.Generator().manual_seed(1))
    found, _ = known.of_split("order", split, credit)
    for i, winner in enumerate(winners):
        for j, loser in enumerate(losers):
            alike = credit[winners == winner][:, losers == loser]
            wanted = (alike.sum() + 0.5 * credit.mean()) / (alike.numel() + 0.5)
            assert found[i, j] == pytest.approx(float(wanted), rel=1e-5)


def test_listed_pairs_have_the_same_credit_as_those_of_a_split():
    split, one, other = an_order(), Places(), Places()
    credit = torch.rand(len(split.good[0]), len(split.bad[0]), generator=torch.Generator().manual_seed(2)) - 0.2
    found, how = one.of_split("order", split, credit)
    winner = split.good[0].repeat_interleave(len(split.bad[0]))
    loser = split.bad[0].repeat(len(split.good[0]))
    listed, same = other.of_pairs("order", split.keys.detach(), winner, loser, credit.reshape(-1))
    assert torch.allclose(found.reshape(-1), listed, rtol=1e-5) and how == same


def test_batches_after_the_first_move_it_and_what_hurts_has_none():
    split, known = an_order(), Places()
    credit = torch.ones(len(split.good[0]), len(split.bad[0]))
    for _ in range(3):
        found, _ = known.of_split("order", split, credit)
    assert torch.allclose(found, credit)
    found, _ = known.of_split("order", split, 10 * credit)
    assert torch.all((found > 1) & (found < 10))
    for _ in range(30):
        found, _ = known.of_split("order", split, -credit)
    assert torch.equal(found, torch.zeros_like(found))


def test_a_batch_that_says_nothing_goes_by_the_others():
    split, known = an_order(), Places()
    assert known.of_split("order", split, None) == (None, links.Anchoring())
    said = torch.rand(len(split.good[0]), len(split.bad[0]), generator=torch.Generator().manual_seed(3))
    usual, how = known.of_split("order", split, said)
    again, same = known.of_split("order", split, None)
    assert torch.equal(usual, again) and how == same
    assert known.of_split("another", split, None)[0] is None


def test_the_balance_is_that_of_the_batches_so_far():
    known, wanted = Places(), 0.0
    assert links.balance_of(5, 15) == 0.75
    for seed in range(4):
        split = an_order(seed=seed)
        now = links.balance_of(len(split.good[0]), len(split.bad[0]))
        _, how = known.of_split("order", split, torch.ones(len(split.good[0]), len(split.bad[0])))
        wanted = now if seed == 0 else 0.95 * wanted + 0.05 * now
        assert how.balance == pytest.approx(wanted)


def batch(seed: int, n: int = 40) -> tuple[torch.Tensor, torch.Tensor]:
    drawn = torch.Generator().manual_seed(seed)
    labels = (torch.rand(n, generator=drawn) < 0.3).long()
    return (torch.randn(n, generator=drawn) + labels).requires_grad_(), labels


@pytest.mark.parametrize("metric", [first_tenth, separation])
def test_what_is_known_of_places_is_part_of_the_state(metric):
    loss = metric.loss(generator=torch.Generator().manual_seed(0))
    for seed in range(3):
        loss(*batch(seed))
    stored = io.BytesIO()
    torch.save(loss.state_dict(), stored)
    stored.seek(0)
    other = metric.loss(generator=torch.Generator().manual_seed(5))
    other.load_state_dict(torch.load(stored, weights_only=True))
    gradients = []
    for each in (loss, other):
        each._random.generator.manual_seed(9)
        scores, labels = batch(7)
        each(scores, labels).backward()
        gradients.append(scores.grad)
    assert torch.equal(*gradients) and gradients[0].abs().sum() > 0


def test_a_pair_that_this_batch_does_not_heed_is_pulled_as_pairs_at_its_places_usually_are():
    """Precision among the first tenth: once all of it is right, no swap changes the metric."""
    loss = first_tenth.loss(generator=torch.Generator().manual_seed(0))
    for seed in range(20):
        loss(*batch(seed))
    labels = (torch.arange(40) < 12).long()
    scores = (
        torch.linspace(3, -3, 40) - torch.where(torch.arange(40) == 4, 6.0, 0.0)
    ).requires_grad_()  # the fifth is last
    loss(scores, labels).backward()
    assert float(loss.metric) == 1.0
    assert float(scores.grad[4]) < 0 < float(scores.grad[12:].min())


@surrogate
def precision_on_average(scores, labels):
    hits = labels[np.argsort(-scores)]
    return (np.cumsum(hits) / np.arange(1, len(hits) + 1) * hits).sum() / hits.sum()


def test_examples_pull_where_places_say_what_is_heeded_and_less_where_chance_does():
    parts = {}
    for metric in (precision_on_average, separation, first_tenth):
        loss = metric.loss(generator=torch.Generator().manual_seed(0))
        for seed in range(20):
            loss(*batch(seed))
        (order,) = loss._interpolant._places.known.values()
        parts[metric] = order.anchoring.part
        assert any("chance" in note for note in loss.report()["notes"]) == (parts[metric] < 1)
        assert 0 < order.steady < 1.1
    assert parts[precision_on_average] == 1 and parts[separation] < 0.5 and parts[first_tenth] == 0
    assert links.Anchoring(part=0.0).factors(10, 30, evenly=True) == (0.75, 0.0, 0.0)

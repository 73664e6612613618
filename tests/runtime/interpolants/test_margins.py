"""Short cuts for rows of few good items give what sums over both sides of each row give."""

import pytest
import torch

from metric2loss.runtime.interpolants import links, margins
from metric2loss.runtime.side import Side
from metric2loss.runtime.split import Split


def rows(few: int, kind: str) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(few)
    keys = torch.randn(6, 40, generator=draw, dtype=torch.double)
    keys = {"plain": keys, "ties": (2 * keys).round() / 2, "far": 60 * keys}[kind]
    good = torch.zeros(6, 40, dtype=torch.bool)
    for row in good:
        row[torch.randperm(40, generator=draw)[:few]] = True
    return keys, good


@pytest.mark.parametrize("temperature", [1.0, 0.3])
@pytest.mark.parametrize("power", [links.Power(0.0), links.Power(0.3), links.Power(1.0), links.Power(0.5, True)])
@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("few", [1, 3])
@pytest.mark.parametrize("kind", ["plain", "ties", "far"])
@pytest.mark.parametrize("encoding", ["pairs", "margin", "margin-lse"])
def test_short_cuts_equal_the_long_way(encoding, kind, few, sign, power, temperature, monkeypatch):
    keys, good = rows(few, kind)
    worth = torch.linspace(sign, 1.0, 6, dtype=torch.double)
    split = Split(keys.reshape(-1), Side.of(good), temperature, encoding)
    found = margins.pulled(split, worth, power)
    if encoding == "margin" and (short := margins.by_largest(split, worth, power)) is not None:
        found = torch.zeros_like(found).index_put((short.at,), short.by)
    assert kind == "ties" or encoding != "margin" or short is not None
    monkeypatch.setattr(Split, "few", None)
    wanted = margins.pulled(Split(keys.reshape(-1), Side.of(good), temperature, encoding), worth, power)
    assert wanted.abs().max() > 0
    assert torch.allclose(found, wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("few", [1, 3])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_largest_keys_are_found_alike_by_light_vectors_and_by_tensors(few, sign, monkeypatch):
    keys, good = rows(few, "plain")
    worth = torch.linspace(sign, 1.0, 6, dtype=torch.double)
    split = Split(keys.reshape(-1), Side.of(good), 1.0, "margin")
    light = margins.by_largest(split, worth, links.Power(0.5))
    monkeypatch.setattr(margins, "light", lambda x: x)
    plain = margins.by_largest(split, worth, links.Power(0.5))
    assert torch.equal(light.at, plain.at) and torch.allclose(light.by, plain.by, rtol=1e-12)


@pytest.mark.parametrize("ahead", [0.0, 3.0, 8.0, 16.0])
def test_what_is_left_of_a_sure_row_is_more_than_rounding(ahead):
    keys, good = rows(1, "plain")
    keys = keys + ahead * good
    worth, power = torch.ones(6), links.Power(0.5)
    found = margins.pulled(Split(keys.float().reshape(-1), Side.of(good)), worth, power).reshape(6, 40)
    wanted = margins.pulled(Split(keys.reshape(-1), Side.of(good)), worth, power).reshape(6, 40)
    assert torch.allclose(found.double(), wanted, rtol=1e-5, atol=0)


def test_infinite_keys_are_compared_without_a_warning():
    keys, good = rows(1, "plain")
    keys[0].masked_fill_(good[0], torch.inf)
    keys[0, (good[0].long().argmax() + 1) % 40] = torch.inf
    assert margins.by_largest(Split(keys.reshape(-1), Side.of(good), 1.0, "margin"), torch.ones(6), links.Power(0.5))


@pytest.mark.parametrize("right", [0.02, 0.5, 0.7, 0.98])
def test_rows_settle_between_cross_entropy_and_the_middle_by_how_many_are_right(right):
    share = torch.full((6,), right, dtype=torch.double)
    logits = torch.stack([share.log(), ((1 - share) / 2).log(), ((1 - share) / 2).log()], 1)
    good = torch.zeros(6, 3, dtype=torch.bool).index_fill_(1, torch.tensor(0), True)
    split = Split(logits.reshape(-1), Side.of(good))
    worth = torch.full((6,), 1 / 6, dtype=torch.double)
    settled = margins.pulled(split, worth, links.Power(0.5, settles=True))
    assert torch.allclose(settled, margins.pulled(split, worth, links.Power(2 * right * (1 - right))))
    assert links.Power(0.5, settles=True).at(right) <= 0.5 == links.Power(0.5).at(right)


def test_rows_of_one_kind_do_not_decide_where_the_others_settle():
    keys = torch.tensor([[2.0, 0.0, 1.0], [0.3, 0.1, 0.2], [0.0, 5.0, 0.0]], dtype=torch.double)
    good = torch.tensor([[True, False, False], [False, False, False], [True, True, False]])
    both, power = torch.tensor([1.0, 0.0, 1.0]).double(), links.Power(0.5, settles=True)
    found = margins.pulled(Split(keys.reshape(-1), Side.of(good)), both, power).reshape(3, 3)
    kept = [0, 2]
    wanted = margins.pulled(Split(keys[kept].reshape(-1), Side.of(good[kept])), both[kept], power).reshape(2, 3)
    assert torch.allclose(found[kept], wanted) and not found[1].any()

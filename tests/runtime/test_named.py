"""Which candidate of each row the program asks for, found without a table of all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from metric2loss.runtime.arrays import Array
from metric2loss.runtime.layouts import ChooseLayout, MarginLayout
from metric2loss.runtime.named import right_candidate
from metric2loss.runtime.ranking import order
from metric2loss.runtime.side import OneEach, Side

LABELS = np.array([2, 0, 4, 1])
INDEX = np.array([2, 3, 4, 0])

ASKED: dict[str, Callable[[Any], Any]] = {
    "index == labels": lambda index: index == LABELS,
    "labels == index": lambda index: LABELS == index,
    "of another integer type": lambda index: index == LABELS.astype(np.int16),
}
OTHERWISE: dict[str, Callable[[Any], Any]] = {
    "not equal": lambda index: index != LABELS,
    "no truth value": lambda index: (index == LABELS).astype(float),
    "close to the labels": lambda index: abs(index - LABELS) <= 1,
    "another index": lambda index: index % 2 == LABELS,
    "one number for all rows": lambda index: index == 2,
    "a number that is no candidate": lambda index: index == np.array([2, 0, 5, 1]),
    "a negative number": lambda index: index == np.array([2, 0, -1, 1]),
    "real numbers": lambda index: index == LABELS.astype(float),
    "decided by the type of the index": lambda index: (
        (index == LABELS) & (index > 0) if isinstance(index, np.ndarray) else index == LABELS
    ),
    "answers by branches": lambda index: 1 if index == LABELS else 0,
}


@pytest.mark.parametrize("outcome", ASKED.values(), ids=ASKED.keys())
def test_the_right_candidate_is_read_from_the_comparison(outcome: Callable[[Any], Any]) -> None:
    found = right_candidate(outcome, INDEX, 5)
    assert found is not None and found[0].tolist() == LABELS.tolist()
    assert found[1].tolist() == (INDEX == LABELS).tolist()


@pytest.mark.parametrize("outcome", OTHERWISE.values(), ids=OTHERWISE.keys())
def test_any_other_question_needs_the_table(outcome: Callable[[Any], Any]) -> None:
    assert right_candidate(outcome, INDEX, 5) is None


@pytest.mark.parametrize("swapped", [False, True], ids=["labels right", "labels left"])
def test_tensors_too(swapped: bool) -> None:
    labels = torch.from_numpy(LABELS)
    found = right_candidate(lambda index: labels.eq(index) if swapped else index.eq(labels), torch.from_numpy(INDEX), 5)
    assert swapped or (found is not None and found[0].tolist() == LABELS.tolist())
    found = right_candidate(lambda index: labels == index if swapped else index == labels, torch.from_numpy(INDEX), 5)
    assert found is not None and found[0].tolist() == LABELS.tolist()


def test_labels_changed_afterwards_do_not_change_what_was_found() -> None:
    labels = LABELS.copy()
    found = right_candidate(lambda index: index == labels, INDEX, 5)
    labels[:] = 0
    assert found is not None and found[0].tolist() == LABELS.tolist()


@pytest.mark.parametrize("others", [False, True], ids=["the one", "the others"])
def test_one_item_a_row_is_a_side_like_any_other(others: bool) -> None:
    one = OneEach(torch.from_numpy(LABELS), 5)
    plain = Side.of(torch.nn.functional.one_hot(torch.from_numpy(LABELS), 5).bool())
    lean, wanted = (one.others, plain.others) if others else (one, plain)
    places = torch.randint(5, (3, 4), generator=torch.Generator().manual_seed(0))
    assert torch.equal(lean.has(places), wanted.has(places))
    for name in ("first", "amounts", "items", "ordered", "places"):
        assert torch.equal(getattr(lean, name), getattr(wanted, name)), name
    assert (lean.range, lean.pairs, lean.mixed, lean.width) == (wanted.range, wanted.pairs, wanted.mixed, wanted.width)


@pytest.mark.parametrize("kind", [ChooseLayout, MarginLayout])
def test_a_layout_without_table_is_the_one_with_it(kind: Any) -> None:
    keys = torch.randint(-2, 3, (20,), generator=torch.Generator().manual_seed(1)).float()
    one = OneEach(torch.from_numpy(LABELS), 5)
    more = {"soft": False} if kind is MarginLayout else {}
    lean = kind(None, keys, None, (4,), False, low=one, **more)
    side = Side.of(one.items)
    full = kind(side.items.logical_not().view(torch.uint8), keys, side.items.clone(), (4,), False, low=side, **more)
    assert lean.size == full.size and lean.same_as(full) and torch.equal(lean.differences(), full.differences())
    bits = torch.rand(16, lean.size, generator=torch.Generator().manual_seed(2)) < 0.5
    assert torch.equal(lean.result(bits), full.result(bits))
    assert torch.equal(lean.winner_class(bits), full.winner_class(bits))


@pytest.mark.parametrize(
    "labels", [[0, 1, 1, 0, 1], [3, 4, 4, 4, 3], [1, 1, 1, 1, 1], [0, 2, 0, 2, 2], [0, 1, 2, 1, 0]]
)
def test_an_order_of_integer_labels_has_the_classes_of_any_other_labels(labels: list[int]) -> None:
    keys = torch.tensor([0.3, 0.1, 0.3, -1.0, 2.0], requires_grad=True)
    found = order(Array(keys.detach().numpy(), keys), told_apart_by=(np.array(labels),))
    wanted = order(Array(keys.detach().numpy(), keys), told_apart_by=(np.array(labels, dtype=float),))
    assert found.layout.size == wanted.layout.size and torch.equal(found.bits, wanted.bits)
    assert torch.equal(found.values, wanted.values)
    bits = torch.rand(8, found.layout.size, generator=torch.Generator().manual_seed(0)) < 0.5
    assert torch.equal(found.layout.result(bits), wanted.layout.result(bits))

"""Targets that name items, labels or places are read as the scores they ask for."""

import numpy as np
import pytest
import torch

from metric2loss.runtime.named_items import named_scores


def winners(found):
    return {name: {score: (x > 0).int().tolist() for score, x in scores.items()} for name, scores in found}


@pytest.mark.parametrize(
    ("target", "like", "name", "expected"),
    [
        ([[1], [0, 2]], (2, 3), "items in t", [[0, 1, 0], [1, 0, 1]]),
        ([{1}, np.array([0])], (2, 3), "items in t", [[0, 1, 0], [1, 0, 0]]),
        ({0: [2], 1: []}, (2, 3), "items in t", [[0, 0, 1], [0, 0, 0]]),
        ([0, 2], (4,), "items in t", [1, 0, 1, 0]),
        (torch.tensor([[1, 2], [0, 1]]), (2, 3), "items in t", [[0, 1, 1], [1, 1, 0]]),
        ([[1], [1, 1]], (2, 3, 2), "sequences of t, then 0", [[[0, 1], [1, 0], [1, 0]], [[0, 1], [0, 1], [1, 0]]]),
        ([[1, 1]], (1, 3, 2), "sequences of t, then 0, apart", [[[0, 1], [1, 0], [0, 1]]]),
    ],
    ids=["lists", "sets and arrays", "by number", "one row", "as many a row", "sequences", "repeated labels"],
)
def test_targets_that_name_things(target, like, name, expected):
    found = winners(named_scores({"t": target}, {"s": torch.zeros(like)}))
    assert found[name] == {"s": expected}


def test_columns_name_the_winners_of_several_scores():
    spans = torch.tensor([[0, 1], [2, 2]])
    found = winners(named_scores({"t": spans}, {"start": torch.zeros(2, 3), "end": torch.zeros(2, 3)}))
    assert found["columns of t"] == {"start": [[1, 0, 0], [0, 0, 1]], "end": [[0, 1, 0], [0, 0, 1]]}


@pytest.mark.parametrize(
    ("target", "like"),
    [([[5], [0]], (2, 3)), ([[0.5], [1.0]], (2, 3)), ("ab", (2, 3)), ([[1, 1, 1]], (1, 2, 3)), (3, (4,))],
    ids=["out of range", "no places", "text", "longer than the scores", "a number"],
)
def test_what_names_nothing_is_left_out(target, like):
    assert not list(named_scores({"t": target}, {"s": torch.zeros(like)}))

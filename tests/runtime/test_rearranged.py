"""NumPy functions that only move entries keep the gradient; those that compute are not taken for them."""

import numpy as np
import pytest
import torch

from metric2loss.runtime.arrays import Array

X = np.array([[0.5, 0.25, 0.75], [1.0, 0.125, 2.0]])


def active(x):
    return Array(x.copy(), torch.tensor(x, requires_grad=True))


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.ravel(x, order="F"),
        lambda x: np.delete(x, 1, axis=1),
        lambda x: np.insert(x, 0, 7.0, axis=1),
        lambda x: np.pad(x, 1, mode="edge"),
        lambda x: np.block([x, x]),
        lambda x: x.flatten("F"),
        lambda x: np.linalg.norm(x, axis=1),
        lambda x: np.sum(x, where=x.exact > 0.3 if isinstance(x, Array) else x > 0.3),
        lambda x: np.max(x, initial=1.5),
        lambda x: np.nanstd(x),
        lambda x: np.quantile(x, 0.3, method="lower"),
        lambda x: np.divide(x, 2.0, out=np.zeros_like(X), where=X > 0.3),
    ],
)
def test_a_result_is_that_of_numpy_and_has_a_gradient(call):
    given = active(X)
    found, expected = call(given), np.asarray(call(X))
    assert np.allclose(found.exact, expected)
    assert np.allclose(found.tensor.detach().numpy(), expected)
    assert found.tensor.requires_grad


def test_columns_of_a_table_that_are_no_scores_are_plain():
    labels = np.array([1.0, 0.0, 1.0])
    table = np.column_stack([labels, active(X[0])])
    table = table[np.array([2, 0, 1])]
    assert not table[:, 0].active
    assert table[:, 0].tolist() == [1.0, 1.0, 0.0]
    assert table[:, 1].active
    assert [type(row[0]) for row in table] == [np.float64] * 3


def test_negative_places_count_from_the_end():
    found = active(X[0])[[0, -1]]
    assert found.exact.tolist() == X[0][[0, -1]].tolist()
    assert found.tensor.tolist() == X[0][[0, -1]].tolist()


def test_views_that_are_gone_are_not_written_to():
    table = active(X)
    for _ in range(200):
        table[0, 1:]
    kept = table[0]
    table[0, 1] = 7.0
    assert kept.exact[1] == 7.0
    assert len(table._views) < 100

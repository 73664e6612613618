"""An Array computes what NumPy computes: for many configurations at once, and with a gradient beside the exact value."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from metric2loss.diagnostics import MetricError
from metric2loss.runtime.arrays import Array, Element, everywhere
from metric2loss.runtime.batched import Split, Unbatchable, batch
from metric2loss.runtime.elements import elements

X = np.array([[3.0, 1.0, 2.0, 1.0], [0.0, 5.0, 4.0, 1.0], [2.0, 2.0, 7.0, 0.5]])
ORDERS = np.array([[2, 0, 3, 1], [0, 1, 2, 3], [3, 2, 1, 0]])
MASKS = np.array([[True, False, True, False], [False, True, True, False], [True, True, False, False]])
TABLE = np.array([10.0, 20.0, 30.0, 40.0])
LABELS = np.array([1, 0, 1, 1])
TRAPEZOID = np.trapezoid if hasattr(np, "trapezoid") else np.trapz  # NumPy 1


def for_each_row(function, *columns):
    """`function` of the rows of every column, all at once."""

    def one(pivot, *rows):
        with batch(pivot):
            found = function(*(Array(None, row) for row in rows))
            found = found if isinstance(found, tuple) else (found,)
            return tuple(x.tensor if isinstance(x, Array) else torch.as_tensor(np.asarray(x)) for x in found)

    pivots = torch.ones(len(columns[0]), dtype=torch.bool)
    return torch.vmap(one)(pivots, *(torch.tensor(column) for column in columns))


def passive(x):
    return everywhere(np.array(x))


OF_NUMBERS = {
    "sum": lambda x: x.sum(),
    "mean": np.mean,
    "std": lambda x: np.std(x, ddof=1),
    "var": lambda x: x.var(),
    "max": lambda x: x.max(),
    "min": np.min,
    "ptp": np.ptp,
    "prod": lambda x: x.prod(),
    "median": np.median,
    "percentiles": lambda x: np.percentile(x, [10, 50, 95]),
    "quantile along an axis": lambda x: np.quantile(x.reshape(2, 2), 0.3, axis=0),
    "cumsum": lambda x: x.cumsum(),
    "cumprod": np.cumprod,
    "running maximum": np.maximum.accumulate,
    "running minimum": np.minimum.accumulate,
    "add.reduce": np.add.reduce,
    "subtract.outer": lambda x: np.subtract.outer(x, x),
    "argsort": lambda x: np.argsort(x, kind="stable"),
    "argmax": lambda x: x.argmax(),
    "argmin": np.argmin,
    "sort": np.sort,
    "sorted in place": lambda x: (x.sort(), x)[1],
    "lexsort": lambda x: np.lexsort((np.arange(4), -x)),
    "argpartition as a set": lambda x: np.sort(np.argpartition(x, 2)[:2] * 0 + 1),
    "reversed": lambda x: x[::-1],
    "every second from behind": lambda x: x[::-2],
    "slice": lambda x: x[1:3],
    "newaxis": lambda x: x[:, None] - x[None, :],
    "ellipsis": lambda x: x[..., 0],
    "integer": lambda x: x[-1],
    "list of integers": lambda x: x[[0, 2]],
    "plain mask": lambda x: x[np.array([True, False, True, True])],
    "reshape": lambda x: x.reshape(2, 2).T.ravel(),
    "transpose": lambda x: x.reshape(2, 2).transpose(1, 0),
    "astype int": lambda x: x.astype(int),
    "astype bool": lambda x: x.astype(bool),
    "clip": lambda x: np.clip(x, 1, 3),
    "round": lambda x: np.round(x / 3, 1),
    "logs": lambda x: np.log2(x + 1) + np.log1p(x) + np.exp(-x) + np.sqrt(x),
    "powers": lambda x: 2.0**x - 1 + x**2,
    "integer division": lambda x: (x.astype(int) // 2, x.astype(int) % 2),
    "division": lambda x: 1 / (1 + x),
    "comparisons": lambda x: ((x > 1) & (x <= 4)) | ~(x == 1),
    "logical": lambda x: np.logical_and(x > 1, np.logical_not(x > 3)),
    "where": lambda x: np.where(x > 1, x, 0.0),
    "select": lambda x: np.select([x > 3, x > 1], [x, -x], 0.0),
    "isin": lambda x: np.isin(x, [1.0, 5.0]),
    "digitize": lambda x: np.digitize(x, [0.5, 1.0, 3.0]),
    "digitize falling": lambda x: np.digitize(x, [3.0, 1.0, 0.5], right=True),
    "searchsorted": lambda x: np.searchsorted(np.array([0.5, 1.0, 3.0]), x, side="right"),
    "histogram": lambda x: np.histogram(x, bins=[0.0, 1.0, 2.0, 7.0])[0],
    "histogram of a range": lambda x: np.histogram(x, bins=4, range=(0.0, 4.0))[0],
    "interp": lambda x: np.interp(x, [0.0, 2.0, 4.0], [0.0, 1.0, 10.0]),
    "diff": lambda x: np.diff(x, prepend=0.0),
    "trapezoid": lambda x: TRAPEZOID(np.sort(x), np.arange(4.0)),
    "dot": lambda x: np.dot(x, TABLE),
    "matmul": lambda x: x @ np.ones((4, 2)),
    "outer": lambda x: np.outer(x, x),
    "einsum": lambda x: np.einsum("i,j->", x, x),
    "concatenate": lambda x: np.concatenate([[0.0], x, [1.0]]),
    "stack": lambda x: np.stack([x, x + 1], axis=1),
    "append": lambda x: np.append(x, 1.0),
    "flip": np.flip,
    "roll": lambda x: np.roll(x, 1),
    "tile": lambda x: np.tile(x, 2),
    "repeat": lambda x: np.repeat(x, 2),
    "count_nonzero": np.count_nonzero,
    "any all": lambda x: (np.any(x > 4), np.all(x > 0)),
    "nan functions": lambda x: (np.nanmean(np.where(x > 1, x, np.nan)), np.nansum(x), np.nanmax(x)),
    "nan_to_num": lambda x: np.nan_to_num(x / 1.0),
    "average": lambda x: np.average(x, weights=TABLE),
    "bincount": lambda x: np.bincount(x.astype(int), minlength=9),
    "bincount of weights": lambda x: np.bincount(x.astype(int), weights=x, minlength=9),
    "take": lambda x: np.take(x, [0, 3]),
    "unravel_index": lambda x: np.unravel_index(x.astype(int), (3, 4)),
    "iteration": lambda x: sum(value * place for place, value in enumerate(x)),
    "in-place addition": lambda x: x.__iadd__(1.0),
    "out": lambda x: np.multiply(x, 2.0, out=x),
    "item": lambda x: x.sum().item() * 2,
    "absolute": lambda x: abs(-x) + np.fabs(x),
    "sign": lambda x: np.sign(x - 1),
    "full_like": lambda x: np.full_like(x, 2.0) + np.zeros_like(x) + np.ones_like(x),
    "minimum maximum": lambda x: np.minimum(x, 2.0) + np.maximum(x, 3.0),
    "norm": lambda x: np.sqrt(np.sum(np.square(x))),
    "floor ceil": lambda x: np.floor(x / 2) + np.ceil(x / 2) + np.trunc(x / 2),
    "errstate and divide": lambda x: np.divide(x, x + 1),
}


@pytest.mark.parametrize("name", OF_NUMBERS)
def test_functions_of_many_configurations_are_numpys(name):
    function = OF_NUMBERS[name]
    found = for_each_row(function, X)
    for row, values in enumerate(zip(*found)):
        expected = function(X[row].copy())
        expected = expected if isinstance(expected, tuple) else (expected,)
        assert len(values) == len(expected)
        for got, wanted in zip(values, expected):
            assert got.shape == np.shape(wanted)
            np.testing.assert_allclose(got.double().numpy(), np.asarray(wanted, dtype=float), rtol=1e-6)


def inverse(order):
    ranks = passive(np.zeros(4, dtype=int))
    ranks[order] = np.arange(4)
    return ranks


def confusion(order):
    table = passive(np.zeros((2, 4)))
    np.add.at(table, (LABELS, order), 1)
    return table


def counted(order):
    counts = passive(np.zeros(4))
    for place in range(4):
        counts[order[place]] += place
    return counts


OF_ORDERS = {
    "gather": lambda order: passive(TABLE)[order],
    "gather rows": lambda order: passive(X)[:, order],
    "one entry": lambda order: passive(TABLE)[order[0]],
    "an entry of a row": lambda order: passive(X)[1, order[2]],
    "a row": lambda order: passive(X)[order[0] % 3],
    "inverse permutation by writing": inverse,
    "a count at every place": confusion,
    "a loop that writes": counted,
    "take_along_axis": lambda order: np.take_along_axis(passive(TABLE), order, axis=0),
    "take": lambda order: np.take(passive(TABLE), order),
    "ranks by argsort": np.argsort,
    "lengths": lambda order: len(order) + order.size + order.shape[0] + order.ndim,
    "equal to labels": lambda order: passive(LABELS)[order] == 1,
}


@pytest.mark.parametrize("name", OF_ORDERS)
def test_orders_that_differ_index_and_write(name):
    function = OF_ORDERS[name]
    found = for_each_row(function, ORDERS)[0]
    for row, order in enumerate(ORDERS):
        plain = function(order)
        wanted = plain.exact if isinstance(plain, Array) else plain
        np.testing.assert_allclose(found[row].double().numpy(), np.asarray(wanted, dtype=float))


OF_MASKS = {
    "selection": lambda mask: passive(TABLE)[mask],
    "places": np.flatnonzero,
    "nonzero": lambda mask: np.nonzero(mask)[0],
    "argwhere": np.argwhere,
    "where": lambda mask: np.where(mask)[0],
    "writing a number": lambda mask: written(mask, -1.0),
    "writing an array": lambda mask: written(mask, np.array([7.0, 8.0])),
    "rows of a matrix": lambda mask: passive(X.T)[mask].sum(axis=0),
    "compress": lambda mask: np.compress(mask, passive(TABLE)),
    "negation and mean": lambda mask: (~mask).mean(),
    "and with labels": lambda mask: (mask & (LABELS == 1)).sum(),
}


def written(mask, value):
    table = passive(TABLE)
    table[mask] = value
    return table


@pytest.mark.parametrize("name", OF_MASKS)
def test_masks_with_equally_many_entries(name):
    function = OF_MASKS[name]
    found = for_each_row(function, MASKS)[0]
    for row, mask in enumerate(MASKS):
        plain = function(mask)
        wanted = plain.exact if isinstance(plain, Array) else plain
        np.testing.assert_allclose(found[row].double().numpy(), np.asarray(wanted, dtype=float))


def test_a_plain_value_that_all_configurations_share_is_given():
    def function(x):
        return x * 0 + (5 if x.sum() * 0 == 0 else 7)

    assert bool((for_each_row(function, X)[0] == 5).all())


def test_a_plain_value_on_which_they_disagree_splits_them():
    with pytest.raises(Split) as split:
        for_each_row(lambda x: x if x[0] > 1 else -x, X)
    assert split.value.group[0] == split.value.group[2] != split.value.group[1]


def test_shapes_that_do_not_fit_raise_as_in_numpy():
    with pytest.raises(ValueError, match="shape"):
        for_each_row(lambda x: x == np.arange(3), X)


def test_asking_for_the_array_itself_is_refused():
    with pytest.raises(Unbatchable):
        for_each_row(lambda x: np.asarray(x), X)


ACTIVE = {
    name: OF_NUMBERS[name]
    for name in (
        "sum",
        "mean",
        "std",
        "max",
        "cumsum",
        "sort",
        "reversed",
        "logs",
        "powers",
        "where",
        "dot",
        "norm",
        "clip",
    )
}


@pytest.mark.parametrize("name", ACTIVE)
def test_active_values_are_exact_and_carry_the_gradient(name):
    x = torch.tensor(X[1] + 0.25, requires_grad=True)
    found = ACTIVE[name](Array(x.detach().numpy().copy(), x))
    np.testing.assert_array_equal(found.exact, ACTIVE[name](X[1] + 0.25))
    (gradient,) = torch.autograd.grad(found.tensor.sum(), x)
    step = 1e-6
    for place in range(4):
        moved = X[1] + 0.25
        moved[place] += step
        change = (np.sum(ACTIVE[name](moved)) - np.sum(ACTIVE[name](X[1] + 0.25))) / step
        assert float(gradient[place]) == pytest.approx(change, rel=1e-3, abs=1e-4)


def test_what_has_no_gradient_becomes_plain_at_once():
    x = torch.tensor(X[1], requires_grad=True)
    array = Array(x.detach().numpy(), x)
    assert isinstance(array > 1, np.ndarray)
    assert isinstance(np.argsort(array), np.ndarray)
    assert array.shape == (4,) and array.dtype == np.float64


@pytest.mark.parametrize("convert", [bool, float, int, np.asarray, lambda x: [1, 2][x]])
def test_a_score_where_a_plain_value_is_needed_is_named(convert):
    x = torch.tensor(1.0, requires_grad=True)
    with pytest.raises(MetricError) as error:
        convert(Array(x.detach().numpy(), x))
    assert error.value.diagnostics[0].code == "M2L302"


def test_writing_does_not_reach_the_original():
    x = torch.tensor(X[1], requires_grad=True)
    exact = x.detach().numpy()
    array = Array(exact, x)
    array[0] = 9.0
    array[array.exact > 8] = array[1] * 2
    assert exact[0] == 0.0 and array.exact[0] == 10.0
    (gradient,) = torch.autograd.grad(array.tensor.sum(), x)
    assert gradient.tolist() == [0.0, 3.0, 1.0, 1.0]


@pytest.mark.parametrize(
    "compute",
    [
        lambda x: x / 3,
        lambda x: x / np.arange(1, 6),
        lambda x: np.cumsum(x) / np.arange(1, 6),
        lambda x: np.mean(x),
        lambda x: np.sum(x > 2) / len(x),
        lambda x: x * 0.1,
        lambda x: x + 0.5,
        lambda x: np.float32(2) * x,
        lambda x: x.astype(np.float32) / 3,
        lambda x: x.astype(np.float32) * x,
        lambda x: np.true_divide(x, 7) - 1,
        lambda x: (x > 1) + (x > 2),
        lambda x: np.cumsum(x > 1),
    ],
)
def test_batched_arithmetic_has_the_types_and_digits_of_numpy(compute):
    plain = np.array([3, 1, 4, 1, 5])

    def one(pivot, x):
        with batch(pivot):
            found = compute(Array(None, x))
            return found.tensor if isinstance(found, Array) else torch.as_tensor(found)

    found = torch.vmap(one)(torch.ones(2, dtype=torch.bool), torch.tensor(np.stack([plain, plain])))
    expected = np.asarray(compute(plain))
    assert found.numpy().dtype == expected.dtype
    assert np.array_equal(found[0].numpy(), expected)


def entries():
    """Entries of two active arrays, in turns, and the scores under them."""
    one, other = (torch.tensor(row, requires_grad=True) for row in (X[0], X[1]))
    arrays = [Array(row.detach().numpy(), row) for row in (one, other)]
    return [x for pair in zip(arrays[0], (arrays[1][k] for k in (3, -2, 1, 0))) for x in pair], (one, other)


def test_an_entry_of_an_active_array_computes_as_the_array_does():
    (first, second, *_), (one, other) = entries()
    assert isinstance(first, Element)
    assert first.active
    assert not first.shape
    found = 2 * first + second
    assert float(found.exact) == 2 * X[0, 0] + X[1, 3]
    found.tensor.backward()
    assert one.grad.tolist() == [2, 0, 0, 0]
    assert other.grad.tolist() == [0, 0, 0, 1]


def test_entries_of_several_arrays_are_taken_out_together_in_their_order():
    found, scores = entries()
    together = elements(found)
    assert together.tolist() == [float(x.exact) for x in found]
    together.mul(torch.arange(8.0)).sum().backward()
    assert [x.grad.tolist() for x in scores] == [[0, 2, 4, 6], [7, 5, 3, 1]]


def test_an_entry_that_is_written_to_leaves_its_array_alone():
    (first, *_), (one, _) = entries()
    first += 1.0
    assert float(first.exact) == X[0, 0] + 1
    assert float(first.tensor.detach()) == X[0, 0] + 1
    assert one.tolist() == X[0].tolist()

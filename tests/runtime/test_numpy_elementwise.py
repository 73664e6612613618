"""Element-wise functions on tensors give NumPy's values and types, directly or by torch._numpy."""

import numpy as np
import pytest
import torch

from metric2loss import compile_metric
from metric2loss.runtime.arrays import Array
from metric2loss.runtime.batched import vmapped
from metric2loss.runtime.numpy_forms import ufunc

VALUES = {
    "bool": np.array([True, False, True, False]),
    "int": np.array([3, 1, -2, 0]),
    "float32": np.array([0.5, 2.0, 1.0, 3.0], dtype=np.float32),
    "float64": np.array([0.5, 2.0, np.nan, -3.0]),
}
PAIRS = ("bitwise_and", "bitwise_or", "bitwise_xor", "logical_and", "logical_or", "logical_xor", "maximum", "minimum")
SINGLE = ("invert", "logical_not", "sqrt", "exp", "log", "log2", "log1p", "square", "absolute", "sign", "cbrt")


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("name", [*PAIRS, *SINGLE])
def test_values_and_types_are_those_of_numpy(name, kind):
    given = [VALUES[kind], VALUES[kind][::-1].copy()][: 2 if name in PAIRS else 1]
    function = getattr(np, name)
    try:
        with np.errstate(all="ignore"):
            wanted = function(*given)
    except TypeError:
        pytest.skip("NumPy has none for this type")
    if wanted.dtype == np.float16:
        pytest.skip("torch._numpy computes such in float32")
    found = ufunc(function, "__call__")(*map(torch.from_numpy, given))
    assert np.allclose(found.numpy(), wanted, equal_nan=True, rtol=1e-6)
    if kind != "bool" and name not in ("sqrt", "cbrt", "exp", "log", "log2", "log1p") or kind.startswith("float"):
        assert found.numpy().dtype == wanted.dtype


KINDS = {
    "uint8": np.array([0, 1, 5, 255], np.uint8),
    "int8": np.array([-3, 0, 2, 100], np.int8),
    "int64": np.array([-3, 0, 2, 7]),
    "bool": np.array([True, False, True, True]),
    "float16": np.array([-1.5, 0, 2, 3], np.float16),
    "float32": np.array([-1.5, 0, np.nan, np.inf], np.float32),
    "float64": np.array([-1.5, 0.0, np.nan, -np.inf]),
}
OF_ONE = [
    "reciprocal",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log2",
    "log10",
    "log1p",
    "sqrt",
    "sin",
    "tan",
    "arctan",
    "tanh",
    "cosh",
    "cbrt",
    "rint",
    "trunc",
    "floor",
    "ceil",
    "sign",
    "absolute",
    "any",
    "all",
]
OF_TWO = [
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "equal",
    "not_equal",
    "arctan2",
    "heaviside",
    "hypot",
    "copysign",
    "maximum",
    "fmin",
]


def batched(function, *given):
    """What the function of batched arrays gives for the first of two configurations."""

    def one(*parts):
        found = function(*(Array(None, part) for part in parts))
        return found.tensor if isinstance(found, Array) else torch.as_tensor(found)

    stacked = [torch.from_numpy(np.stack([x, x[::-1].copy()])) for x in given]
    return vmapped(one, stacked, [True] * len(given), 2)[0].numpy()


def agrees(function, *given):
    with np.errstate(all="ignore"):
        try:
            wanted = np.asarray(function(*given))
        except (TypeError, OverflowError):
            return
    found = batched(function, *given)
    assert found.dtype == wanted.dtype
    rough = wanted.dtype == np.float16
    assert np.allclose(found.astype(float), wanted.astype(float), equal_nan=True, rtol=2e-3 if rough else 1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", OF_ONE)
def test_many_configurations_of_one_operand(name, kind):
    agrees(getattr(np, name), KINDS[kind])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("other", [*KINDS, -1, 2, 0.5])
@pytest.mark.parametrize("name", OF_TWO)
def test_many_configurations_of_two_operands(name, other, kind):
    function = getattr(np, name)
    if isinstance(other, str):
        agrees(function, KINDS[kind], KINDS[other])
    elif int(np.__version__[0]) > 1:  # before, a number's value decided the type
        agrees(lambda x: function(x, other), KINDS[kind])
        agrees(lambda x: function(other, x), KINDS[kind])


@pytest.mark.parametrize(
    "x", [[1.0, np.nan, 2.0], [1.0, 2.0, np.inf], [-np.inf, 3.0, 4.0, np.inf], [np.inf, 1.0, 2.0, 5.0]]
)
@pytest.mark.parametrize("name", ["median", "quantile", "percentile"])
def test_many_configurations_of_what_is_infinite_or_nan(name, x):
    rest = {"median": (), "quantile": (0.5,), "percentile": (25.0,)}[name]
    agrees(lambda x: getattr(np, name)(x, *rest), np.array(x))


def test_probabilities_in_half_precision_have_finite_differences():
    def share(scores, labels):
        return ((scores.astype(np.float16) > 0.5) == labels).mean()

    scores = torch.tensor([0.0, 0.25, 1.0, 0.5, 0.75], dtype=torch.float64, requires_grad=True)
    criterion = compile_metric(share, direction="maximize")()
    criterion(scores, np.array([1, 0, 0, 1, 1])).backward()
    assert bool(torch.isfinite(scores.grad).all())
    assert bool(scores.grad.any())


def by_a_sigmoid_of_its_own(scores, labels):
    p = 1 / (1 + np.exp(-scores))
    return ((p >= 0.5) == labels).mean()


def test_an_overflow_of_exp_leaves_gradients_numbers():
    scores = torch.linspace(-120, 120, 25, requires_grad=True)
    labels = torch.arange(25) % 2
    criterion = compile_metric(by_a_sigmoid_of_its_own, direction="maximize")()
    with np.errstate(over="ignore"):
        criterion(scores, labels).backward()
        assert float(criterion.metric) == by_a_sigmoid_of_its_own(scores.detach().numpy(), labels.numpy())
    assert scores.grad.isfinite().all() and scores.grad.abs().sum() > 0

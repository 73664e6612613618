"""Element-wise functions on tensors give NumPy's values and types, directly or by torch._numpy."""

import numpy as np
import pytest
import torch

from metric2loss.runtime.numpy_functions import ufunc

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

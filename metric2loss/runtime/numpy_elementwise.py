"""NumPy's element-wise functions on tensors of one type, by torch's own; torch._numpy binds a signature at every call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metric2loss.runtime import numpy_functions  # noqa: F401 (these forms take the place of some of its)
from metric2loss.runtime.dtypes import dtype_of, torch_dtype
from metric2loss.runtime.numpy_forms import by_torch_numpy, evaluate, on_tensor, register

Function = Callable[..., Any]


def _direct(name: str, operation: Function, fits: Callable[[torch.dtype], bool]) -> None:
    """`operation` where all operands are tensors of one type that fits, and nothing else is given."""
    plain = by_torch_numpy(name)

    def call(*args: Any, **kwargs: Any) -> Any:
        first = args[0]
        if kwargs or not isinstance(first, Tensor) or not fits(first.dtype):
            return plain(*args, **kwargs)
        if all(isinstance(part, Tensor) and part.dtype == first.dtype for part in args[1:]):
            return operation(*args)
        return plain(*args)

    register(name, call)


def _whole(kind: torch.dtype) -> bool:
    return not (kind.is_floating_point or kind.is_complex)


def _yes_or_no(kind: torch.dtype) -> bool:
    return kind == torch.bool


def _real(kind: torch.dtype) -> bool:
    return kind in (torch.float32, torch.float64)


def _cube_root(x: Tensor) -> Tensor:
    """Of negative numbers, too, for which torch._numpy has none."""
    x = x if x.is_floating_point() else x.double()
    return torch.sign(x) * x.abs() ** (1 / 3)


def _exponential(x: Tensor) -> Tensor:
    """Where it is infinite its gradient is 0: in 1 / (1 + exp(-x)) torch's own is nan there, 0 times infinity."""
    found = torch.exp(x)
    if not x.requires_grad or not bool(found.detach().isinf().any()):
        return found
    far = found.detach().isinf()
    return torch.where(far, found.detach(), torch.exp(x.masked_fill(far, 0.0)))


for _name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
    _direct(_name, getattr(torch, _name), _whole)
for _name in ("logical_and", "logical_or", "logical_xor", "logical_not"):
    _direct(_name, getattr(torch, _name), _yes_or_no)
for _name in ("invert", "bitwise_not"):
    _direct(_name, torch.bitwise_not, _whole)
for _name in ("maximum", "minimum", "sqrt", "log", "log2", "log1p"):
    _direct(_name, getattr(torch, _name), _real)
_direct("exp", _exponential, _real)
for _name in ("absolute", "abs"):
    _direct(_name, torch.abs, _real)
_direct("sign", lambda x: torch.where(x.isnan(), x, torch.sign(x)), _real)
_direct("cbrt", _cube_root, lambda kind: kind != torch.bool)
_direct("square", torch.square, lambda kind: kind != torch.bool)


# --- types that torch has other ways with


def _resulting(name: str, *operands: Any) -> torch.dtype:
    """The type of NumPy's result; a Python number counts as such."""
    given = [np.empty(0, dtype_of(part)) if isinstance(part, Tensor) else part for part in operands]
    with np.errstate(all="ignore"):
        return torch_dtype(getattr(np, name)(*given).dtype)


def _in_floats(name: str) -> None:
    """Of whole numbers, in the type of floats that NumPy takes for them: bytes and truth values become half precision."""
    plain = evaluate(getattr(np, name))

    def call(*args: Any, **kwargs: Any) -> Any:
        if kwargs or not all(isinstance(part, (Tensor, int, float)) for part in args):
            return plain(*args, **kwargs)
        if not any(isinstance(part, Tensor) and _whole(part.dtype) for part in args):
            return plain(*args)
        kind = _resulting(name, *args)
        wide = torch.float32 if kind == torch.float16 else kind
        found: Tensor = plain(*(part.to(wide) if isinstance(part, Tensor) else part for part in args))
        return found.to(kind)

    register(name, call)


def _counted(name: str) -> None:
    """A comparison of bytes with a number of Python's, which need not be one."""
    plain = evaluate(getattr(np, name))

    def call(*args: Any, **kwargs: Any) -> Any:
        if any(type(part) is int for part in args):
            args = tuple(
                part.long() if isinstance(part, Tensor) and part.dtype == torch.uint8 else part for part in args
            )
        return plain(*args, **kwargs)

    register(name, call)


def _truth(name: str) -> None:
    """Truth values of bytes, too, which torch hands back as a byte."""
    plain = evaluate(getattr(np, name))

    def call(x: Any, *args: Any, **kwargs: Any) -> Any:
        return plain(x.bool() if isinstance(x, Tensor) and x.dtype == torch.uint8 else x, *args, **kwargs)

    register(name, call)


def _of_whole_numbers(name: str) -> None:
    """A rounding, which leaves whole numbers as they are."""
    plain = evaluate(getattr(np, name))

    def call(x: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(x, Tensor) and _whole(x.dtype):
            return x.to(_resulting(name, x))
        return plain(x, *args, **kwargs)

    register(name, call)


def _reciprocal(x: Any) -> Any:
    x = on_tensor(x)
    if not _whole(x.dtype):
        return torch.reciprocal(x)
    kind = _resulting("reciprocal", x)
    with np.errstate(all="ignore"):
        of_zero = int(np.reciprocal(np.zeros(1, dtype_of(x)))[0])
    x = x.to(kind)
    return torch.where(x == 0, of_zero, torch.where(x.abs() == 1, x, 0)).to(kind)


def _heaviside(x: Any, at_zero: Any) -> Any:
    kind = _resulting("heaviside", x, at_zero)
    x, at_zero = on_tensor(x).to(kind), on_tensor(at_zero).to(kind)
    one = torch.ones((), dtype=kind)
    return torch.where(x.isnan(), x, torch.where(x > 0, one, torch.where(x < 0, 0 * one, at_zero)))


for _name in ("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "sin", "cos", "tan", "arctan", "tanh"):
    _in_floats(_name)
for _name in ("sinh", "cosh", "arctan2", "hypot", "logaddexp", "copysign", "cbrt"):
    _in_floats(_name)
for _name in ("greater", "greater_equal", "less", "less_equal", "equal", "not_equal"):
    _counted(_name)
for _name in ("rint", "trunc", "floor", "ceil"):
    _of_whole_numbers(_name)
for _name in ("any", "all"):
    _truth(_name)
register("reciprocal", _reciprocal)
register("heaviside", _heaviside)

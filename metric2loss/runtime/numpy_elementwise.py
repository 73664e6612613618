"""NumPy's element-wise functions on tensors of one type, by torch's own; torch._numpy binds a signature at every call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from metric2loss.runtime.numpy_functions import by_torch_numpy, register

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


for _name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
    _direct(_name, getattr(torch, _name), _whole)
for _name in ("logical_and", "logical_or", "logical_xor", "logical_not"):
    _direct(_name, getattr(torch, _name), _yes_or_no)
for _name in ("invert", "bitwise_not"):
    _direct(_name, torch.bitwise_not, _whole)
for _name in ("maximum", "minimum", "sqrt", "exp", "log", "log2", "log1p"):
    _direct(_name, getattr(torch, _name), _real)
for _name in ("absolute", "abs"):
    _direct(_name, torch.abs, _real)
_direct("sign", lambda x: torch.where(x.isnan(), x, torch.sign(x)), _real)
_direct("cbrt", _cube_root, lambda kind: kind != torch.bool)
_direct("square", torch.square, lambda kind: kind != torch.bool)

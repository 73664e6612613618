"""Differences of comparisons and signs: left - right, element by element; logits where probabilities are compared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metric2loss.runtime import settings
from metric2loss.runtime.arrays import Array
from metric2loss.runtime.layouts import CompareLayout, SignLayout
from metric2loss.runtime.native import called
from metric2loss.runtime.ranking import passive
from metric2loss.runtime.recorded import Differences, Operand

_EDGE = 1e-6  # probabilities are kept this far from 0 and 1, so that logits have finite gradients


def compare(left: Any, op: str | tuple[str, ...], right: Any) -> Differences:
    """One difference an element of the broadcast operands; `op` is the user's operator, or all that share the operands."""
    ops = (op,) if isinstance(op, str) else op
    a, b = Operand.of(beside(left, right)), Operand.of(beside(right, left))
    library = "torch" if "torch" in (a.library, b.library) else "numpy"
    if not (a.active or b.active):
        plain = passive(torch.as_tensor(_decided(a, ops[0], b)), library)
        return replace(plain, counted=lambda: _counted(a, ops, b, library))
    return _counted(a, ops, b, library)


def beside(x: Any, other: Any) -> Any:
    """A number of Python's in the type in which it is compared with the other side; a threshold of 0.1 is another in float32."""
    if type(x) not in (int, float):
        return x
    if isinstance(other, Tensor):
        kind = torch.result_type(other, x)
        return torch.tensor(x, dtype=kind) if kind.is_floating_point else x
    exact = other.exact if isinstance(other, Array) else other
    if not isinstance(exact, (np.ndarray, np.generic)) or exact.dtype.kind != "f":
        return x
    return np.asarray(x, np.result_type(exact, x))


def _counted(a: Operand, ops: tuple[str, ...], b: Operand, library: str) -> Differences:
    device = b.tensor.device if b.active and not a.active else a.tensor.device
    c = _difference(a, b, device)
    scores = max(a.tensor.numel(), b.tensor.numel()) if a.active and b.active else 0
    layout = CompareLayout(tuple(c.shape), ops, device, scores)
    bits = [torch.as_tensor(_decided(a, {"gt": ">", "ge": ">="}[kept], b)).to(device) for kept in layout.kept]
    flat = torch.cat([c.reshape(-1)] * len(layout.kept))
    return Differences(layout, flat, torch.cat([found.reshape(-1) for found in bits]), library)


def _decided(a: Operand, op: str, b: Operand) -> Any:
    x, y = a.exact, b.exact
    if isinstance(x, Tensor) != isinstance(y, Tensor):
        x, y = torch.as_tensor(x), torch.as_tensor(y)
    table = {">": "__gt__", ">=": "__ge__", "<": "__lt__", "<=": "__le__", "==": "__eq__", "!=": "__ne__"}
    return getattr(x if isinstance(x, Tensor) else np.asarray(x), table[op])(y)


def _difference(a: Operand, b: Operand, device: torch.device) -> Tensor:
    x, y = a.tensor.to(device), b.tensor.to(device)
    # one number tells nothing: in a loop, a score of 0.9 may stand beside one of 1.1
    sure = max(x.numel(), y.numel()) > 1 or settings.current().unit
    if sure and a.active != b.active and _between(x if a.active else y, True) and _between(y if a.active else x, False):
        x, y = _logit(x), _logit(y)
    return x - y


def _between(x: Tensor, edges: bool) -> bool:
    """Whether all of x lies between 0 and 1, the edges included or not."""
    if not x.numel():
        return False
    low, high = x.detach().aminmax()
    return bool(low >= 0) and bool(high <= 1) if edges else bool(low > 0) and bool(high < 1)


def _logit(p: Tensor) -> Tensor:
    wide = p.dtype in (torch.float32, torch.float64)  # in half precision 1 - 1e-6 is 1
    p = (p if wide else p.float() if p.is_floating_point() else p.double()).clamp(_EDGE, 1 - _EDGE)
    return p.log() - torch.log1p(-p)


def sign(x: Any, *args: Any, using: str = "sign", **kwargs: Any) -> Differences:
    """Two binaries an element: [x > 0] and [x >= 0]."""
    operand = Operand.of(x)
    native = torch.as_tensor(called(using, operand, args, kwargs))
    if not operand.active:
        return passive(native, operand.library)
    c = operand.tensor
    at_zero = torch.as_tensor(args[0]) if args else torch.as_tensor(kwargs.get("values", 0.5))
    layout = SignLayout(tuple(c.shape), using, native.dtype, c.device, at_zero.to(c.device))
    plain = c.detach().reshape(-1)
    return Differences(layout, torch.cat([c.reshape(-1)] * 2), torch.cat([plain > 0, plain >= 0]), operand.library)

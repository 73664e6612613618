"""What f hands on for one step (`Differences`), and what g reads there (`Given`): the outcome of the current configuration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metric2loss.runtime.arrays import Array
from metric2loss.runtime.batched import in_batch, is_batched
from metric2loss.runtime.dtypes import as_tensor
from metric2loss.runtime.late import Late
from metric2loss.runtime.layouts import Layout


@dataclass(frozen=True)
class Differences:
    """f's result for one step: how its binaries are arranged, c (autograd) and the binaries of the user's own call.

    values: [size], bits: BoolTensor[size]; both may be given as functions, called when they are read.  native: the outcome
    of the user's own call in the layout's form, where it is known without the binaries.  counted: of a comparison of plain
    numbers, the same with binaries.
    """

    layout: Layout
    values: Late[Tensor] = Late()  # noqa: RUF009 (a descriptor, one for all)
    bits: Late[Tensor] = Late()  # noqa: RUF009 (a descriptor, one for all)
    library: str = "torch"  # of the user's call: "numpy" or "torch"
    native: Tensor | None = None
    ranks: Late[Tensor | None] = Late(None)  # noqa: RUF009  # place of each item [rows, n], where the step is an order
    counted: Callable[[], Differences] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Copies and pickles hold values, not the functions that make them."""
        values, bits, ranks = self.values, self.bits, self.ranks
        return {**self.__dict__, "_values": values, "_bits": bits, "_ranks": ranks, "counted": None}

    def read(self, op: str | None = None) -> Any:
        """What the user's call returned, rebuilt from the binaries."""
        outcome = self.layout.result(self.bits.unsqueeze(0))[0]
        return handed_back(self.layout.read(outcome, op), self.library)


@dataclass
class Outcomes:
    """One outcome for each leaf: of one configuration, or (under vmap) of many at once."""

    current: Sequence[Tensor] = field(default_factory=tuple)


@dataclass(frozen=True)
class Given:
    """A leaf of the tree that g reads."""

    number: int
    layout: Layout
    library: str
    source: Outcomes

    def read(self, op: str | None = None) -> Any:
        """What the user's call returns at the current configuration."""
        return handed_back(self.layout.read(self.source.current[self.number], op), self.library)


def handed_back(value: Tensor, library: str) -> Any:
    """A fresh value of the user's library; in a batch, NumPy's are Arrays."""
    if library == "torch":
        return value if is_batched(value) else value.clone()
    if is_batched(value):
        return Array(None, value)
    plain = value.numpy(force=value.requires_grad or not value.is_cpu)
    plain = plain.copy() if plain.ndim else plain[()]
    return Array(plain) if in_batch() and value.ndim else plain


@dataclass(frozen=True)
class Operand:
    """An argument of a step: the exact value that the user's own operation gets, and the tensor that carries gradients."""

    exact: Any
    tensor: Tensor
    active: bool
    library: str

    @classmethod
    def of(cls, x: Any) -> Operand:
        if isinstance(x, Tensor):
            return cls(x.detach(), x, x.requires_grad, "torch")
        if isinstance(x, Array):
            return cls(x.exact, x.tensor, x.active, "numpy")
        if isinstance(x, (list, tuple)) and any(isinstance(part, (Array, Tensor)) for part in x):
            parts = [Operand.of(part) for part in x]
            library = parts[0].library
            exact = torch.stack([torch.as_tensor(part.exact) for part in parts])
            tensor = torch.stack([part.tensor for part in parts])
            return cls(exact if library == "torch" else exact.numpy(), tensor, tensor.requires_grad, library)
        plain = np.asarray(x)
        return cls(plain, as_tensor(plain), False, "numpy")

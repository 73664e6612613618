"""Compare and sign: one or two binaries an element, [left > right] and [left >= right]."""

from __future__ import annotations

import torch
from torch import Tensor

from metric2loss.rules.compare import NEEDS, holds
from metric2loss.rules.sign import signs
from metric2loss.runtime.kept import kept
from metric2loss.runtime.layouts.base import Layout, turned


class CompareLayout(Layout):
    """Elements of the broadcast operands; `ops` are the user's operators, `kept` the binaries they need ("gt", "ge").

    scores: where scores are compared with scores, how many; the binaries say which of two comes first, as those of an order do.
    """

    kind = "compare"

    def __init__(self, shape: tuple[int, ...], ops: tuple[str, ...], device: torch.device, scores: int = 0) -> None:
        self.shape, self.ops, self.device, self.scores = shape, ops, device, scores
        self.kept = tuple(name for name in ("gt", "ge") if any(name in NEEDS[op] for op in ops))
        self.n_rows = 1
        for size in shape:
            self.n_rows *= size
        self.size = self.n_rows * len(self.kept)

    @kept
    def row_of(self) -> Tensor:
        return torch.arange(self.n_rows, device=self.device).repeat(len(self.kept))

    @property
    def numel(self) -> int:
        return self.size

    def result(self, bits: Tensor) -> Tensor:
        """[A, kept, ...shape]."""
        return bits.reshape(len(bits), len(self.kept), *self.shape)

    def flipped(self, base: Tensor, flips: Tensor) -> Tensor:
        return self.result(turned(base, flips))

    def read(self, outcome: Tensor, op: str | None = None) -> Tensor:
        if op is None and len(self.ops) > 1:
            raise TypeError(f"which comparison? the binaries serve {self.ops}")
        op = op or self.ops[0]
        gt, ge = (outcome[self.kept.index(name)] if name in NEEDS[op] else None for name in ("gt", "ge"))
        return holds(op, gt, ge)  # type: ignore[no-any-return]

    def same_as(self, other: Layout) -> bool:
        return super().same_as(other) and isinstance(other, CompareLayout) and self.shape == other.shape


class SignLayout(CompareLayout):
    """sign, signbit, heaviside: comparisons with zero, read as a number."""

    kind = "sign"

    def __init__(
        self,
        shape: tuple[int, ...],
        using: str,
        dtype: torch.dtype,
        device: torch.device,
        at_zero: Tensor | float = 0.5,
    ) -> None:
        super().__init__(shape, (">", ">="), device)
        self.using, self.dtype, self.at_zero = using, dtype, at_zero

    def read(self, outcome: Tensor, op: str | None = None) -> Tensor:
        found = signs(self.using, outcome[0], outcome[1], *((self.at_zero,) if self.using == "heaviside" else ()))
        return found.to(self.dtype)  # type: ignore[no-any-return]

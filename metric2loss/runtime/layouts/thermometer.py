"""Rounding and binning: the result is the lowest integer plus the number of thresholds passed."""

from __future__ import annotations

import torch
from torch import Tensor

from metric2loss.runtime.kept import kept
from metric2loss.runtime.layouts.base import Layout


class ThermometerLayout(Layout):
    """[elements, thresholds] binaries; the outcome is `(low + passed) / scale` in the dtype of the user's call."""

    def __init__(
        self,
        kind: str,
        shape: tuple[int, ...],
        low: int,
        levels: int,
        scale: float,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        self.kind, self.shape, self.low, self.levels, self.scale, self.dtype = kind, shape, low, levels, scale, dtype
        self.device = device
        self.n_rows = 1
        for size in shape:
            self.n_rows *= size
        self.size = self.n_rows * levels

    @kept
    def row_of(self) -> Tensor:
        return torch.arange(self.n_rows, device=self.device).repeat_interleave(self.levels)

    @property
    def numel(self) -> int:
        return self.n_rows

    def result(self, bits: Tensor) -> Tensor:
        return self._shaped(bits.reshape(len(bits), self.n_rows, self.levels).sum(-1))

    def flipped(self, base: Tensor, flips: Tensor) -> Tensor:
        passed = base.reshape(self.n_rows, self.levels).sum(-1).expand(len(flips), -1).clone()
        if self.size and flips.numel():
            known = flips.clamp(min=0)
            change = torch.where(flips >= 0, 1 - 2 * base[known].long(), 0)
            passed.scatter_add_(1, known // self.levels, change)
        return self._shaped(passed)

    def encoded(self, integers: Tensor) -> Tensor:
        """The binaries of given results (before scaling), clamped to the range."""
        steps = torch.arange(1, self.levels + 1, device=self.device) + self.low
        return (integers.reshape(-1, 1) >= steps).reshape(-1)

    def _shaped(self, passed: Tensor) -> Tensor:
        whole = (passed + self.low).reshape(len(passed), *self.shape)
        if not self.dtype.is_floating_point:
            return whole.to(self.dtype)
        return whole.to(self.dtype) / self.scale if self.scale != 1 else whole.to(self.dtype)

    def same_as(self, other: Layout) -> bool:
        return (
            super().same_as(other)
            and isinstance(other, ThermometerLayout)
            and (self.low, self.levels, self.shape) == (other.low, other.levels, other.shape)
        )

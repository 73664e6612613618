"""What every layout offers: outcomes of many configurations at once, from dense binaries or from a base and flips."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor


class Layout(ABC):
    """The binaries of one step at one place of the run.

    size: number of binaries.  n_rows: independent parts (queries, examples, elements).  row_of: LongTensor[size].
    An *outcome* is a tensor that says what the step returned; a batch of configurations has outcomes [A, ...].
    """

    kind: str
    size: int
    n_rows: int
    device: torch.device

    @property
    @abstractmethod
    def row_of(self) -> Tensor:
        """The row of each binary, LongTensor[size]."""

    @abstractmethod
    def result(self, bits: Tensor) -> Tensor:
        """Outcomes [A, ...] of configurations BoolTensor[A, size]."""

    def flipped(self, base: Tensor, flips: Tensor) -> Tensor:
        """Outcomes [A, ...] of `base` (BoolTensor[size]) with the binaries `flips` (LongTensor[A, F], -1 none) turned."""
        return self.result(turned(base, flips))

    def around(self, bases: Sequence[tuple[Tensor, Tensor]], others: Tensor) -> Tensor:
        """Outcomes of several bases with their flips, and of other configurations BoolTensor[A, size], one after the other."""
        return torch.cat([*(self.flipped(base, flips) for base, flips in bases), self.result(others)])

    def read(self, outcome: Tensor, op: str | None = None) -> Tensor:
        """What the user's call returned, from one outcome (or under vmap from a batched one)."""
        return outcome

    def detached(self) -> Layout:
        """The same layout without any graph."""
        return self

    def same_as(self, other: Layout) -> bool:
        """Whether a configuration of the other layout is one of this."""
        return type(self) is type(other) and self.size == other.size and self.n_rows == other.n_rows

    @property
    @abstractmethod
    def numel(self) -> int:
        """Numbers in one outcome, for the memory that a batch of configurations takes."""


class Fixed(Layout):
    """A step whose operand is not a score: no binaries, always the same outcome."""

    kind, size, n_rows = "fixed", 0, 0

    def __init__(self, outcome: Tensor) -> None:
        self.outcome = outcome
        self.device = outcome.device

    @property
    def row_of(self) -> Tensor:
        return torch.zeros(0, dtype=torch.long, device=self.device)

    @property
    def numel(self) -> int:
        return self.outcome.numel()

    def result(self, bits: Tensor) -> Tensor:
        return self.outcome.expand(len(bits), *self.outcome.shape)

    def flipped(self, base: Tensor, flips: Tensor) -> Tensor:
        return self.outcome.expand(len(flips), *self.outcome.shape)


def turned(base: Tensor, flips: Tensor) -> Tensor:
    """`base` with the given binaries turned: BoolTensor[A, size]; no line lists one twice."""
    bits = base.expand(len(flips), len(base)).clone()
    if not flips.numel() or not len(base):
        return bits
    listed = flips >= 0
    rows = torch.arange(len(flips), device=base.device).unsqueeze(1).expand_as(flips)[listed]
    known = flips[listed]
    bits[rows, known] = ~base[known]
    return bits

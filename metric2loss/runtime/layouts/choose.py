"""Choose: the winner is the candidate with the fewest candidates of other classes ahead of it."""

from __future__ import annotations

import torch
from torch import Tensor

from metric2loss.runtime.kept import kept
from metric2loss.runtime.layouts.base import Layout
from metric2loss.runtime.layouts.chooses import Chooses
from metric2loss.runtime.layouts.pairs import PairLayout
from metric2loss.runtime.side import Side


class ChooseLayout(Chooses, PairLayout):
    """Rows of candidates, classes of equal outcome; `outcomes` [rows, n, ...] is what the program gets for each winner.

    A row of two classes is won by the first class exactly when one of its candidates beats all of the second: right for
    every consistent configuration, decided for all others.  With more classes (or none) the candidate beaten by the fewest
    candidates of other classes wins, which a consistent configuration has at zero for its maximum alone.
    `beats`, `beaten` are other names of `ahead`, `behind`.
    """

    kind = "choose"

    def __init__(
        self,
        classes: Tensor | None,
        keys: Tensor,
        outcomes: Tensor | None,
        shape: tuple[int, ...],
        is_index: bool,
        low: Side | None = None,
    ) -> None:
        super().__init__(classes, keys, low)
        self.keep(outcomes)
        self.is_index = is_index  # the outcome is the winner itself
        self.shape = shape

    @kept
    def _second(self) -> Tensor:
        """The losing side of two-class rows."""
        last = self.first[:, -1:]
        return (self.first == last) & (last > 0) & (self.end[:, :1] == last)

    @property
    def beats(self) -> Tensor:
        return self.ahead

    @property
    def beaten(self) -> Tensor:
        return self.behind

    def winners(self, bits: Tensor) -> Tensor:
        """The candidate each row chooses, LongTensor[A, rows]."""
        return self._winners(self.counts(bits))

    def winner_class(self, bits: Tensor) -> Tensor:
        """The class each row chooses, LongTensor[A, rows]."""
        return torch.gather(self.classes.expand(len(bits), -1, -1), 2, self.winners(bits).unsqueeze(-1)).squeeze(-1)

    @property
    def numel(self) -> int:
        return self.n_rows * self.n

    def result(self, bits: Tensor) -> Tensor:
        return self.of_winners(self.winners(bits))

    def flipped(self, base: Tensor, flips: Tensor) -> Tensor:
        """Only the rows that a flip touches are decided again."""
        if not self.size or not flips.numel():
            return self.result(base.expand(len(flips), -1))
        listed = flips >= 0
        owner = torch.arange(len(flips), device=self.device).unsqueeze(1).expand_as(flips)[listed]
        known = flips[listed]
        places, where = torch.unique(owner * self.n_rows + self.sorted_pair(known)[0] // self.n, return_inverse=True)
        if len(places) * 2 > len(flips) * self.n_rows:
            return self.of_winners(self._winners(self.flipped_counts(base, flips)))
        start = self.counts(base.unsqueeze(0))
        winners = self._winners(start).expand(len(flips), -1).clone()
        rows = places % self.n_rows
        count = start[0, rows]
        change = 1 - 2 * base[known].long()
        n = self.n
        ahead, behind = self.sorted_pair(known)
        count.view(-1).index_add_(0, where * n + behind % n, change)
        count.view(-1).index_add_(0, where * n + ahead % n, -change)
        winners.view(-1)[places] = self._winners(count.unsqueeze(0), rows)[0]
        return self.of_winners(winners)

    def _winners(self, count: Tensor, rows: Tensor | None = None) -> Tensor:
        second, by_class = (self._second, self.by_class) if rows is None else (self._second[rows], self.by_class[rows])
        behind = torch.where(second, 1, 2 * count)
        # ties of inconsistent configurations: the first in the user's order of candidates
        behind = behind * self.n + by_class
        place = behind.argmin(-1, keepdim=True)
        return torch.gather(by_class.expand(len(count), -1, -1), 2, place).squeeze(-1)

    def same_as(self, other: Layout) -> bool:
        return (
            super().same_as(other)
            and isinstance(other, ChooseLayout)
            and torch.equal(self.outcomes.nan_to_num(), other.outcomes.nan_to_num())
        )

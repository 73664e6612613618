"""Choose by margins: one binary per outcome class, the best of the class minus the best of all other classes.

With the largest score as "best" (`margin`) c > 0 says exactly that the class wins.  With log Σ exp (`margin-lse`) sigmoid(c)
is the softmax probability of the class; the binary is still what the user's own call decided.  A row of two classes has one
binary (first class against second), a row of several has one for each.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from metric2loss.runtime.kept import kept
from metric2loss.runtime.layouts.base import Layout, turned
from metric2loss.runtime.layouts.chooses import Chooses
from metric2loss.runtime.layouts.classed import Classed
from metric2loss.runtime.side import Side


class MarginLayout(Chooses, Classed):
    """Rows of candidates, classes of equal outcome; `outcomes` [rows, n, ...] is what the program gets for each winner.

    The class whose binary is true wins.  Where none or several are true (no scores do that) the r-th row takes its turn
    among them, the (r mod m)-th of m, so that every configuration is some choice and no class is favoured.
    """

    kind = "margin"

    def __init__(
        self,
        classes: Tensor | None,
        keys: Tensor,
        outcomes: Tensor | None,
        shape: tuple[int, ...],
        is_index: bool,
        soft: bool,
        low: Side | None = None,
    ) -> None:
        super().__init__(classes, keys, low)
        self.lower = low  # the lower class, where no row has more than two and that is known
        self.keep(outcomes)
        self.shape = shape
        self.is_index = is_index  # the outcome is the winner itself
        self.soft = soft

    @kept
    def local(self) -> Tensor:
        """The classes, counted in each row."""
        return _numbered(self.classes.long()) if self.lower is None else self.classes

    @kept
    def amount(self) -> Tensor:
        """The number of classes of each row."""
        return self.local.amax(1) + 1 if self.lower is None else torch.where(self.lower.amounts < self.n, 2, 1)

    @kept
    def most(self) -> int:
        """The largest of them."""
        return 2 if self._all_of_two else int(self.amount.max())

    @kept
    def size(self) -> int:
        """Number of binaries."""
        return self.n_rows if self._all_of_two else int(self._counts.sum())

    @property
    def _all_of_two(self) -> bool:
        return self.lower is not None and self.lower.mixed

    @kept
    def _counts(self) -> Tensor:
        return torch.where(self.amount > 2, self.amount, self.amount - 1)

    @kept
    def row_of(self) -> Tensor:
        rows = torch.arange(self.n_rows, device=self.device)
        return torch.repeat_interleave(rows, self._counts, output_size=self.size)

    @kept
    def class_of(self) -> Tensor:
        """The class of each binary, counted in its row."""
        starts = self._counts.cumsum(0) - self._counts
        return torch.arange(self.size, device=self.device) - starts[self.row_of]

    @kept
    def first(self) -> Tensor:
        """The first candidate of each class, [rows, most]."""
        none = torch.full((self.n_rows, self.most), self.n - 1, device=self.device)
        places = torch.arange(self.n, device=self.device).expand(self.n_rows, -1)
        return none.scatter_reduce_(1, self.local.long(), places, "amin")

    @property
    def numel(self) -> int:
        return self.n_rows + self.size

    @property
    def all_distinct(self) -> bool:
        """Whether every candidate is a class of its own."""
        return bool((self.amount == self.n).all())

    # --- from scores to differences and binaries

    def differences(self) -> Tensor:
        """c of every class (of the first one, in rows of two), with its autograd graph."""
        rows = (self.amount > 1).nonzero().flatten()  # others have nothing to be compared with
        keys = self.keys.float() if self.keys.dtype in (torch.float16, torch.bfloat16) else self.keys
        tops = self._tops(keys.reshape(self.n_rows, self.n)[rows], self.local[rows])
        margins = tops - (_rest_soft(tops) if self.soft else _rest(tops))
        place = torch.empty(self.n_rows, dtype=torch.long, device=self.device)
        place[rows] = torch.arange(len(rows), device=self.device)
        return margins[place[self.row_of], self.class_of]

    def _tops(self, keys: Tensor, local: Tensor) -> Tensor:
        """The best of every class, [rows, most]; -inf where a row has fewer."""
        if self.most == 2:
            best = torch.logsumexp if self.soft else torch.amax
            return torch.stack([best(keys.masked_fill(local != side, -torch.inf), 1) for side in (0, 1)], 1)
        empty = keys.new_full((len(keys), self.most), -torch.inf)
        hard = empty.scatter_reduce(1, local, keys, "amax")
        if not self.soft:
            return hard
        top = torch.where(torch.isfinite(hard), hard, 0.0).detach()
        sums = torch.zeros_like(empty).scatter_add(1, local, torch.exp(keys - torch.gather(top, 1, local)))
        there = sums > 0
        return torch.where(there, torch.log(torch.where(there, sums, 1.0)) + top, -torch.inf)

    def chosen(self, winner: Tensor) -> Tensor:
        """The binaries of given winners, LongTensor[rows] of candidates."""
        wins = torch.gather(self.local, 1, winner.reshape(-1, 1)).squeeze(1)
        return wins[self.row_of] == self.class_of

    def ranked(self, rank: Tensor) -> Tensor:
        """The binaries of a given ranking (LongTensor[rows, n], place of each candidate)."""
        return self.chosen(rank.argmin(-1))

    # --- from binaries to winners

    def _winning(self, bits: Tensor) -> Tensor:
        """The class each row chooses, counted in the row, LongTensor[A, rows]."""
        claims = torch.zeros(len(bits), self.n_rows, self.most, dtype=torch.bool, device=self.device)
        claims[:, self.row_of, self.class_of] = bits
        if self.most == 1:
            return claims.long().squeeze(-1)
        claims[:, :, 1] |= (self.amount == 2) & ~claims[:, :, 0]
        there = torch.arange(self.most, device=self.device) < self.amount.unsqueeze(1)
        claims = torch.where(claims.any(-1, keepdim=True), claims, there)
        turn = torch.arange(self.n_rows, device=self.device) % claims.sum(-1)
        return ((claims.cumsum(-1) == turn.unsqueeze(-1) + 1) & claims).long().argmax(-1)

    def winners(self, bits: Tensor) -> Tensor:
        """The candidate each row chooses (the first of its class), LongTensor[A, rows]."""
        return self.first[torch.arange(self.n_rows, device=self.device), self._winning(bits)]

    def winner_class(self, bits: Tensor) -> Tensor:
        """The class each row chooses, LongTensor[A, rows]."""
        return self.classes[torch.arange(self.n_rows, device=self.device), self.winners(bits)]

    def settled(self, bits: Tensor) -> Tensor:
        """The same winners without contradictions: one true binary a row of several classes."""
        return self.chosen(self.winners(bits.unsqueeze(0))[0])

    def result(self, bits: Tensor) -> Tensor:
        return self.of_winners(self.winners(bits))

    def flipped(self, base: Tensor, flips: Tensor) -> Tensor:
        return self.result(turned(base, flips))

    def detached(self) -> MarginLayout:
        found = copy.copy(self)
        found.keys = self.keys.detach()
        return found

    def same_as(self, other: Layout) -> bool:
        return (
            super().same_as(other)
            and isinstance(other, MarginLayout)
            and torch.equal(self.classes, other.classes)
            and torch.equal(self.outcomes.nan_to_num(), other.outcomes.nan_to_num())
        )


def _numbered(classes: Tensor) -> Tensor:
    """The classes [rows, n], counted 0, 1 … in each row."""
    order = torch.argsort(classes, dim=-1, stable=True)
    ordered = torch.gather(classes, 1, order)
    new = torch.zeros_like(ordered)
    new[:, 1:] = (ordered[:, 1:] != ordered[:, :-1]).long()
    return torch.empty_like(ordered).scatter_(1, order, new.cumsum(1))


def _rest(tops: Tensor) -> Tensor:
    """The largest of the other entries of each row."""
    if tops.shape[1] < 2:
        return tops
    two, at = tops.topk(2, dim=1)
    mine = torch.arange(tops.shape[1], device=tops.device) == at[:, :1]
    return torch.where(mine, two[:, 1:], two[:, :1])


def _rest_soft(tops: Tensor) -> Tensor:
    """log Σ exp of the other entries of each row.

    The sum without one entry is the total minus it, except for the largest, of which little might be left: that one is
    summed without it.
    """
    if tops.shape[1] < 2:
        return tops
    high, at = tops.detach().max(1, keepdim=True)
    mine = torch.arange(tops.shape[1], device=tops.device) == at
    of_largest = torch.logsumexp(tops.masked_fill(mine, -torch.inf), 1, keepdim=True)
    shares = torch.exp(tops - high)
    rest = torch.where(mine, 1.0, shares.sum(1, keepdim=True) - shares)
    return torch.where(mine, of_largest, torch.log(rest) + high)

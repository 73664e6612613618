"""What a step that chooses one candidate of each row hands to the program: the outcome of the winner."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from metric2loss.runtime.kept import kept
from metric2loss.runtime.side import Side


class Chooses:
    """Part of the layouts of choose steps; `outcomes` [rows, n, ...] is what the program gets for each winner.

    Where the program is only told whether the winner is of the lower class, no table of outcomes need be given.
    """

    lower: Side | None
    shape: tuple[int, ...]  # of the outcome in the user's program
    device: torch.device

    def keep(self, outcomes: Tensor | None) -> None:
        """The table, if there is one."""
        if outcomes is not None:
            self.outcomes = outcomes

    @kept
    def outcomes(self) -> Tensor:
        """The table that was not given."""
        assert self.lower is not None
        return self.lower.items

    @property
    def asks_for_lower(self) -> bool:
        """Whether the outcome is "the winner is of the lower class"."""
        given = self.__dict__.get("outcomes")
        return self.lower is not None and (given is None or given is self.lower.items)

    def of_winners(self, winners: Tensor) -> Tensor:
        """Outcomes of given winners, LongTensor[A, rows]."""
        if self.asks_for_lower:
            assert self.lower is not None
            found = self.lower.has(winners)
        else:
            found = _chosen_of(self.outcomes, winners)
        shape = (winners.shape[0], *self.shape)
        return found if found.shape == shape else found.reshape(shape)

    def with_ahead(self, side: Side) -> Tensor:
        """The outcome of the candidates of `side` coming before all others."""
        lower = self.lower
        if lower is not None and lower.mixed and (side is lower or side is lower.others) and self.asks_for_lower:
            return _alike(self.shape, side is lower, self.device)
        return self.of_winners(side.first.unsqueeze(0))[0]

    def placed(self, items: Tensor) -> Tensor:
        """Outcomes of given rankings of the candidates, LongTensor[A, rows, n]."""
        return self.of_winners(items[..., 0])


@lru_cache(16)
def _alike(shape: tuple[int, ...], value: bool, device: torch.device) -> Tensor:
    """The same outcome in every row; what is handed to the metric is a copy."""
    return torch.full(shape, value, device=device)


def _chosen_of(outcomes: Tensor, winners: Tensor) -> Tensor:
    """The outcome [A, rows, ...] of each winner, LongTensor[A, rows], among outcomes [rows, n, ...]."""
    if outcomes.ndim == 2:
        return torch.gather(outcomes, 1, winners.t()).t()
    return outcomes[torch.arange(len(outcomes), device=outcomes.device), winners]

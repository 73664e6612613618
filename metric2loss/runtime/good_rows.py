"""Rows of a choice, good when some good candidate beats all bad ones: its probability and derivative in closed form.

With independent relaxed binaries u_ij (good candidate i beats bad candidate j) and q_i = Π_j u_ij, the row is good with
probability Q = 1 − Π_i (1 − q_i), and dQ/du_ij = (q_i / u_ij) Π_{i'≠i} (1 − q_i'). One good candidate: Q = Π_j u_j.
All of it is in log space: a heat map's q is a product of a thousand factors.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from metric2loss.runtime.factored import Leaf, Problem


@dataclass(frozen=True)
class GoodRows:
    """The rows of choose steps, seen from the best configuration: the class it has win is good, all others are bad."""

    at: Tensor  # the batch's binaries between good and bad candidates
    row: Tensor  # the row of each of them
    good: Tensor  # its good candidate, among all rows' candidates
    row_of_candidate: Tensor
    n_rows: int
    all_of: bool  # every row has one good candidate
    idle: Tensor  # binaries between two bad candidates (of more than two classes)
    idle_pairs: Tensor  # and these candidates: the first wins, the second loses, [2, idle]
    keys: Tensor  # of all candidates, larger wins
    sides: tuple[tuple[Leaf, Tensor], ...]  # the steps, and which candidates are good: BoolTensor[rows, candidates]

    @classmethod
    def read(cls, problem: Problem) -> GoodRows | None:
        """All such rows of the batch, or None."""
        found = [(leaf, side) for leaf in problem.leaves if (side := _sides(problem, leaf)) is not None]
        if not found:
            return None
        sides = tuple((leaf, is_good.reshape(leaf.layout.classes.shape)) for leaf, (_, _, is_good) in found)
        at, rows, goods, owners, idle, pairs, n_rows, n_candidates = [], [], [], [], [], [], 0, 0
        for leaf, (good, told, _) in found:
            layout = leaf.layout
            here, candidates = layout.classes.shape
            at.append(told.nonzero().flatten() + leaf.start)
            rows.append(layout.row_of[told] + n_rows)
            goods.append(good[told] + n_candidates)
            owners.append(torch.arange(here * candidates, device=good.device) // candidates + n_rows)
            idle.append((~told).nonzero().flatten() + leaf.start)
            pairs.append(torch.stack([layout.beats[~told], layout.beaten[~told]]) + n_candidates)
            n_rows, n_candidates = n_rows + here, n_candidates + here * candidates
        good, owner = torch.cat(goods), torch.cat(owners)
        present = torch.zeros_like(owner).index_fill_(0, good, 1)
        per_row = torch.zeros(n_rows, dtype=torch.long, device=good.device).index_add_(0, owner, present)
        all_of = bool((per_row <= 1).all())
        keys = torch.cat([leaf.layout.keys.detach().reshape(-1) for leaf, _ in found])
        between, of, unused = torch.cat(at), torch.cat(rows), torch.cat(idle)
        return cls(between, of, good, owner, n_rows, all_of, unused, torch.cat(pairs, 1), keys, sides)

    def ranked(self, noise: Tensor, temperature: float) -> Tensor:
        """The idle binaries of one draw: u is the chance of s_i + G_i > s_j + G_j with Gumbel G (uniform `noise` here)."""
        gumbel = -torch.log(-torch.log(noise.clamp(1e-20, 1 - 1e-7)))
        noisy = self.keys / temperature + gumbel
        return noisy[self.idle_pairs[0]] > noisy[self.idle_pairs[1]]

    def _log_u(self, x: Tensor, t: float | Tensor) -> Tensor:
        """log u at t of the way to the best configuration: u(t) = u + t (1 − u)."""
        mine = x if len(self.at) == len(x) else x[self.at]
        return torch.log(torch.sigmoid(mine) + t * torch.sigmoid(-mine))

    def _logs(self, x: Tensor, t: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """log u of binaries, log q and log(1 − q) of candidates, log Π(1 − q) of rows, at t of the way to b*."""
        log_u = self._log_u(x, t)
        size = len(self.row_of_candidate)
        log_q = log_u.new_zeros(size).index_add_(0, self.good, log_u)
        present = log_u.new_zeros(size).index_fill_(0, self.good, 1.0)
        log_rest = torch.log(-torch.expm1(log_q.clamp(max=-1e-15))) * present
        rows = log_u.new_zeros(self.n_rows).index_add_(0, self.row_of_candidate, log_rest)
        return log_u, log_q, log_rest, rows

    def log_derivative(self, x: Tensor, t: float) -> Tensor:
        """log dQ/du of each binary of `at`, x being the oriented differences of the whole batch."""
        if self.all_of:
            log_u = self._log_u(x, t)
            return log_u.new_zeros(self.n_rows).index_add_(0, self.row, log_u)[self.row] - log_u
        log_u, log_q, log_rest, rows = self._logs(x, t)
        return log_q[self.good] - log_u + (rows[self.row] - log_rest[self.good])

    def probability(self, x: Tensor, t: float) -> Tensor:
        """Q of each row."""
        if self.all_of:
            log_u = self._log_u(x, t)
            return torch.exp(log_u.new_zeros(self.n_rows).index_add_(0, self.row, log_u))
        return -torch.expm1(self._logs(x, t)[3])


def _sides(problem: Problem, leaf: Leaf) -> tuple[Tensor, Tensor, Tensor] | None:
    """The good candidate of each binary of the leaf (row · candidates + candidate), which binaries have one, all good ones.

    None for other steps, and for a best configuration that does not have all good candidates of a row beat all bad ones.
    """
    layout = leaf.layout
    if layout.kind != "choose" or not layout.size:
        return None
    best = problem.best[leaf.start : leaf.stop]
    is_good = (layout.classes == layout.winner_class(best.unsqueeze(0))[0].unsqueeze(1)).reshape(-1)
    beats, beaten = is_good[layout.beats], is_good[layout.beaten]
    told = beats != beaten
    if bool((told & (best != beats)).any()):
        return None
    return torch.where(beats, layout.beats, layout.beaten), told, is_good

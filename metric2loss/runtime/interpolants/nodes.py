"""The items that the binaries of a batch are about, as a set: whose binaries agree with the best configuration, and how many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from metric2loss.runtime.factored import Leaf, Problem
from metric2loss.runtime.groups import Rows


@dataclass(frozen=True)
class Nodes:
    """Node k is one item in one role: it should win, or lose, or is an element of its own.

    `by`, `node`: binary by[e] belongs to node[e] (a pair belongs to its winner and its loser).  fixed: [nodes, 4], what the
    metric tells apart beside the agreement: role, class, number of binaries, step.  row: the metric's row of each node.
    """

    FEATURES: ClassVar[int] = 6

    by: Tensor
    node: Tensor
    fixed: Tensor
    row: Tensor
    size: Tensor
    rows: Rows

    @classmethod
    def of(cls, problem: Problem) -> Nodes:
        """The nodes of one batch."""
        rows = Rows(problem.n_rows, problem.row_of)
        by, node, described = [], [], []
        amount = 0
        for number, leaf in enumerate(problem.leaves):
            if not leaf.layout.size:
                continue
            here = torch.arange(leaf.start, leaf.stop, device=problem.best.device)
            for role, items in enumerate(_roles(problem, leaf)):
                names, at = torch.unique(items, return_inverse=True)
                by.append(here)
                node.append(at + amount)
                described.append(_described(leaf, names, role, number))
                amount += len(names)
        of, fixed = torch.cat(node), torch.cat(described)
        edges = torch.cat(by)
        size = torch.bincount(of, minlength=amount).double()
        fixed[:, 2] = size / size.max()
        row = torch.zeros(amount, dtype=torch.long, device=of.device)
        if rows.of is not None:
            row[of] = rows.of[edges]
        return cls(edges, of, fixed, row, size, rows)

    def described(self, agreement: Tensor) -> Tensor:
        """[S, nodes, features] from agreements [S, L]: the share that agrees and its square, then the fixed ones."""
        amount = len(self.size)
        total = agreement.new_zeros(len(agreement), amount).index_add(1, self.node, agreement.index_select(1, self.by))
        share = (total / self.size).unsqueeze(-1)
        fixed = self.fixed.expand(len(agreement), -1, -1)
        return torch.cat([share, share**2, fixed], -1)

    def pooled(self, of_nodes: Tensor) -> Tensor:
        """Means over the nodes of each row: [S, nodes, k] to [S, rows, k]."""
        amount = torch.bincount(self.row, minlength=self.rows.count).clamp(min=1).unsqueeze(1)
        zeros = of_nodes.new_zeros(len(of_nodes), self.rows.count, of_nodes.shape[-1])
        return zeros.index_add(1, self.row, of_nodes) / amount

    def spread(self, of_rows: Tensor) -> Tensor:
        """The row's entry for each of its nodes."""
        return of_rows.index_select(1, self.row)

    def mean(self, agreement: Tensor) -> Tensor:
        """The mean agreement of each row, [S, rows]."""
        if self.rows.of is None:
            return agreement.mean(1, keepdim=True)
        amount = torch.bincount(self.rows.of, minlength=self.rows.count).clamp(min=1)
        zeros = agreement.new_zeros(len(agreement), self.rows.count)
        return zeros.index_add(1, self.rows.of, agreement) / amount


def _roles(problem: Problem, leaf: Leaf) -> list[Tensor]:
    """The item of each binary in each role: of pairs the one that should win and the one that should lose."""
    layout = leaf.layout
    ahead, behind = getattr(layout, "ahead", None), getattr(layout, "behind", None)
    if layout.kind == "choose" and ahead is None:
        ahead, behind = layout.beats, layout.beaten
    if ahead is None or behind is None:
        return [layout.row_of]
    best = problem.best[leaf.start : leaf.stop]
    return [torch.where(best, ahead, behind), torch.where(best, behind, ahead)]


def _described(leaf: Leaf, items: Tensor, role: int, number: int) -> Tensor:
    fixed = torch.zeros(len(items), 4, dtype=torch.double, device=items.device)
    classes = getattr(leaf.layout, "classes", None)
    if classes is not None and leaf.layout.kind in ("order", "choose"):
        flat = classes.reshape(-1).double()
        fixed[:, 1] = (flat[items] - flat.min()) / (flat.max() - flat.min()).clamp(min=1)
    fixed[:, 0] = role
    fixed[:, 3] = number / (number + 1)
    return fixed

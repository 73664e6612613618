"""Which binaries decide which row of a separable metric, and whether its rows really are independent."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from metric2loss.runtime.batched import Unbatchable
from metric2loss.runtime.evaluate import Evaluator
from metric2loss.runtime.problem import Problem

_CONTEXTS = 6


def row_of_binaries(evaluator: Evaluator, amount: int) -> Tensor | None:
    """LongTensor[L]: the row of each binary; None where the leaves do not say."""
    keys = evaluator.row_keys
    found: list[Tensor] = []
    for leaf in evaluator.leaves:
        layout = leaf.layout
        if keys is not None:
            place = {key: number for number, key in enumerate(keys)}
            loop = leaf.key[1] if len(leaf.key) > 1 else None
            # a loop key without a value (a query left out) decides nothing: any row will do
            found.append(torch.full((layout.size,), place.get(loop, 0), device=evaluator.device))
        elif amount and layout.n_rows % amount == 0 and layout.size:
            found.append(layout.row_of // (layout.n_rows // amount))
        elif layout.size:
            return None
    return torch.cat(found) if found else None


def regular(problem: Problem, amount: int) -> bool:
    """Whether the rows are those of a single step, in its order."""
    return problem.evaluator.row_keys is None and amount > 0 and problem.leaves[0].layout.n_rows % amount == 0


def separated(problem: Problem) -> str:
    """Fills `row_of` and `n_rows` when the rows are what they are said to be; returns why not, or ""."""
    evaluator = problem.evaluator
    try:
        rows = evaluator.at(problem.bits.unsqueeze(0), "rows")[0]
    except (RuntimeError, TypeError, ValueError, LookupError) as error:
        return f"rows could not be computed: {error}"
    if not getattr(rows, "ndim", 0):  # `sum(found.values())`, `sum(map(…))`
        return "the rows are no array"
    of = row_of_binaries(evaluator, len(rows))
    if of is None or not len(rows):
        return "the rows do not match the steps"
    try:
        reason = _doubt(problem, of, len(rows))
    except Unbatchable as error:
        reason = str(error)
    if reason:
        return reason
    problem.row_of, problem.n_rows = of, len(rows)
    return ""


def _doubt(problem: Problem, of: Tensor, amount: int) -> str:
    """The mean of the rows must be the metric, and no row may heed the binaries of another."""
    draw: Any = torch.Generator().manual_seed(0)
    size, device = problem.size, problem.bits.device
    first = torch.rand(_CONTEXTS, size, generator=draw).to(device) < 0.5
    first[0] = problem.bits
    changed = torch.rand(_CONTEXTS, amount, generator=draw).to(device) < 0.5
    other = torch.rand(_CONTEXTS, size, generator=draw).to(device) < 0.5
    second = torch.where(changed[:, of], other, first)
    evaluator = problem.evaluator
    both = evaluator.at(torch.cat([first, second]), "rows")
    whole = evaluator.at(torch.cat([first, second]))
    if both.shape[1] != amount or not _close(both.mean(1), whole):
        return "the metric is not the mean of its rows"
    kept = ~changed
    before, after = both[:_CONTEXTS], both[_CONTEXTS:]
    return "" if _close(before[kept], after[kept]) else "a row depends on another row's binaries"


def _close(a: Tensor, b: Tensor) -> bool:
    return torch.allclose(a, b, rtol=1e-5, atol=1e-7, equal_nan=True)

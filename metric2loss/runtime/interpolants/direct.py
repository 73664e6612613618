"""g itself at relaxed binaries: each step returns what it would, with u = sigmoid(c / τ) for its binaries.

A comparison gives u, a sign 2u − 1, rounding the number of thresholds passed in the mean, a choice the mean of its outcomes.
For that, the rest of the metric must be differentiable in what the steps return.  That is tested at the first batch, not
assumed: at hard binaries the value must be the metric, elsewhere the integral of the derivative must be the change of the
value, and not zero.  The value is the distance from the best value, with its own gradient.  One evaluation of g (about thirty
at the first batch).

Use it where the remainder is arithmetic (F1, Dice, expected cost, accuracy): no sampling, no variance.  Metrics that rank,
index or count by comparing step results are refused.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from metric2loss.diagnostics import MetricError
from metric2loss.runtime import tape
from metric2loss.runtime.evaluate import number
from metric2loss.runtime.factored import Problem
from metric2loss.runtime.failures import failure
from metric2loss.runtime.interpolants.protocol import nothing
from metric2loss.runtime.lenient import Lenient
from metric2loss.runtime.relaxed import RelaxedLeaf, RelaxedOutcomes, Unrelaxed

_APART = 1e-2  # of finite differences: far enough for a remainder in single precision
_CLOSE = 2e-2
_POINTS = 7


@dataclass
class Direct:
    """The metric's own remainder, run once with relaxed outcomes."""

    name: ClassVar[str] = "direct"
    tested: bool = field(default=False, init=False)
    notes: ClassVar[tuple[str, ...]] = ()

    def __call__(self, problem: Problem) -> Tensor:
        """The distance of g(u) from the best value, by autograd."""
        if not len(problem.best):
            return nothing(problem)
        run = _Run(problem)
        if not self.tested:
            _check(problem, run)
            self.tested = True
        c = problem.differences
        c = c if c.dtype == torch.float64 else c.double()
        value = run(torch.sigmoid(c / problem.temperature))
        ahead = problem.sign * (problem.best_value - value)
        return torch.where(torch.isfinite(ahead), ahead, 0.0 * ahead.nan_to_num()).abs()


class _Run:
    """g of one batch as a function of relaxed binaries [L]."""

    def __init__(self, problem: Problem) -> None:
        self.evaluator: Any = problem.evaluator  # type: ignore[attr-defined]
        self.leaves = problem.leaves
        self.source = RelaxedOutcomes()
        program = self.evaluator.program
        given = (RelaxedLeaf(i, part.layout, part.library, self.source) for i, (_, part) in _numbered(program.tree))
        self.tree = tape.rebuilt(program.tree, given)

    def __call__(self, u: Tensor) -> Tensor:
        program = self.evaluator.program
        self.source.current = [u[leaf.start : leaf.stop] for leaf in self.leaves]
        arguments = {name: program.arguments[name] for name in program.owner.parameters_of("g")}
        with torch.enable_grad(), np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = Lenient(program.owner).g(self.tree, **arguments)
            return number(program.owner.value_of(result), self.evaluator.device).mean()


def _numbered(tree: Any) -> Any:
    return enumerate(tape.leaves(tree))


def _check(problem: Problem, run: _Run) -> None:
    """Refuses a remainder that is not differentiable in its binaries, with what was seen."""
    try:
        why = _doubt(problem, run)
    except (MetricError, Unrelaxed, RuntimeError, TypeError, ValueError, LookupError, ArithmeticError) as error:
        text = error.diagnostics[0].message if isinstance(error, MetricError) else str(error)
        why = f"{type(error).__name__}: {text}"
    if why:
        raise failure(
            "M2L510",
            "the rest of the metric is not differentiable in its binaries",
            why,
            'use interpolant="multilinear" for the same idea by sampling, or the default',
        )


def _doubt(problem: Problem, run: _Run) -> str:
    draw = torch.Generator().manual_seed(0)
    size, device = len(problem.bits), problem.bits.device
    for bits in (problem.bits, problem.best):
        expected = float(problem.values_of(bits.unsqueeze(0))[0])
        if not _alike(float(run(bits.double()).detach()), expected):
            return "at hard binaries it gives another value than the metric"
    far = (0.05 + 0.9 * (~problem.best).double(), 0.05 + 0.9 * problem.best.double())
    learns = False
    for check in range(3):
        near = 0.1 + 0.8 * torch.rand(size, generator=draw, dtype=torch.double).to(device)
        step = _APART * (torch.rand(size, generator=draw, dtype=torch.double) * 2 - 1).to(device)
        start, end = (near - step, near + step) if check else far
        if (promised := _promised(run, start, end)) is None:
            return "its value does not depend on them as real numbers"
        with torch.no_grad():
            kept = float(run(end) - run(start))
        if not _alike(promised, kept, _APART if check else 1.0):
            return f"its derivative promises a change of {promised:.4g}, its values change by {kept:.4g}"
        learns = learns or promised != 0
    return "" if learns else "its derivative is zero everywhere"


def _promised(run: _Run, start: Tensor, end: Tensor) -> float | None:
    """The integral of the derivative on the way (Gauss-Legendre): a jump anywhere between is not in it."""
    points, weights = np.polynomial.legendre.leggauss(_POINTS)
    total = 0.0
    for point, weight in zip(points, weights, strict=True):
        u = (start + (point + 1) / 2 * (end - start)).requires_grad_()
        value = run(u)
        if not value.requires_grad:
            return None
        (slope,) = torch.autograd.grad(value, u, allow_unused=True)
        total += 0.0 if slope is None else weight / 2 * float(slope @ (end - start))
    return total


def _alike(a: float, b: float, scale: float = 1.0) -> bool:
    return abs(a - b) <= _CLOSE * max(abs(a), abs(b)) + 1e-3 * scale

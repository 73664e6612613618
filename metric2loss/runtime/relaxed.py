"""What a step returns for relaxed binaries: the mean of what it returns for independent random ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from metric2loss.runtime.arrays import Array
from metric2loss.runtime.layouts import ChooseLayout, CompareLayout, Fixed, MarginLayout, SignLayout, ThermometerLayout
from metric2loss.runtime.layouts.partly import PartlyFixed


class Unrelaxed(Exception):
    """The step returns something that has no mean: a permutation, an index."""


@dataclass
class RelaxedOutcomes:
    """The relaxed binaries of each leaf."""

    current: Sequence[Tensor] = field(default_factory=tuple)


@dataclass(frozen=True)
class RelaxedLeaf:
    """A leaf of the tree that g reads, with real numbers for its binaries."""

    number: int
    layout: Any
    library: str
    source: RelaxedOutcomes

    def read(self, op: str | None = None) -> Any:
        """What the user's call returns in the mean."""
        value = outcome(self.layout, self.source.current[self.number], op)
        if self.library == "torch":
            return value
        return Array(value.detach().cpu().numpy(), value) if value.requires_grad else value.detach().cpu().numpy()


def outcome(layout: Any, u: Tensor, op: str | None = None) -> Tensor:
    """The mean outcome of one step, u [size] being the probabilities of its binaries."""
    for kind, relaxed in _RELAXED:
        if isinstance(layout, kind):
            return relaxed(layout, u, op)
    raise Unrelaxed(f"a step of the kind {layout.kind!r} returns places, not numbers")


def _fixed(layout: Fixed, u: Tensor, op: str | None) -> Tensor:
    return layout.outcome


def _sign(layout: SignLayout, u: Tensor, op: str | None) -> Tensor:
    gt, ge = u.reshape(2, *layout.shape).unbind(0)
    if layout.using == "signbit":
        return 1 - ge
    return gt + ge * (1 - gt) * layout.at_zero if layout.using == "heaviside" else gt + ge - 1


def _compare(layout: CompareLayout, u: Tensor, op: str | None) -> Tensor:
    if op is None and len(layout.ops) > 1:
        raise TypeError(f"which comparison? the binaries serve {layout.ops}")
    found = dict(zip(layout.kept, u.reshape(len(layout.kept), *layout.shape).unbind(0), strict=True))
    op = op or layout.ops[0]
    if op in (">", "<="):
        return found["gt"] if op == ">" else 1 - found["gt"]
    if op in (">=", "<"):
        return found["ge"] if op == ">=" else 1 - found["ge"]
    equal = found["ge"] * (1 - found["gt"])
    return equal if op == "==" else 1 - equal


def _partly(layout: PartlyFixed, u: Tensor, op: str | None) -> Tensor:
    return outcome(layout.inner, layout.constant.to(u.dtype).index_put((layout.free,), u), op)


def _thermometer(layout: ThermometerLayout, u: Tensor, op: str | None) -> Tensor:
    return (u.reshape(layout.n_rows, layout.levels).sum(-1) + layout.low).reshape(layout.shape) / layout.scale


def _numbers(layout: ChooseLayout | MarginLayout) -> Tensor:
    if layout.is_index:
        raise Unrelaxed("a choice whose result is the index itself has no mean that says anything")
    return layout.outcomes.double().reshape(layout.n_rows, layout.n, -1)


def _margin(layout: MarginLayout, u: Tensor, op: str | None) -> Tensor:
    """Two classes: u and 1 − u; several: their u, in shares (with log-sum-exp they are a softmax, and add up to 1)."""
    shares = torch.zeros(layout.n_rows, layout.most, dtype=u.dtype, device=u.device)
    shares = shares.index_put((layout.row_of, layout.class_of), u)
    last = torch.arange(layout.most, device=u.device) == layout.amount.unsqueeze(1) - 1
    shares = torch.where(last & (layout.amount <= 2).unsqueeze(1), 1 - shares.sum(1, keepdim=True), shares)
    shares = shares / shares.sum(1, keepdim=True).clamp(min=1e-12)
    numbers = _numbers(layout)
    of_classes = torch.gather(numbers, 1, layout.first.unsqueeze(-1).expand(-1, -1, numbers.shape[-1]))
    return (shares.unsqueeze(-1) * of_classes).sum(1).reshape(layout.shape)


def _choose(layout: ChooseLayout, u: Tensor, op: str | None) -> Tensor:
    """Rows of two classes: the first wins when one of its candidates beats all others, 1 − Π_i (1 − Π_j u_ij)."""
    outcomes = _numbers(layout)
    one = (layout.end[:, 0] == layout.n).unsqueeze(-1)
    two = (layout.first[:, -1] == layout.end[:, 0]).unsqueeze(-1)
    if not bool((one | two).all()):
        raise Unrelaxed(
            'a choice between more than two outcomes, by pairs of candidates; encoding="margin-lse" has a mean'
        )
    candidates = torch.zeros(layout.n_rows * layout.n, dtype=u.dtype, device=u.device)
    log_q = candidates.index_add(0, layout.ahead, torch.log(u.clamp(min=1e-30)))
    ahead = torch.zeros_like(candidates, dtype=torch.bool).index_fill_(0, layout.ahead, True)
    log_lost = torch.log(-torch.expm1(log_q.clamp(max=-1e-12))) * ahead
    wins = -torch.expm1(log_lost.reshape(layout.n_rows, layout.n).sum(1, keepdim=True))
    wins = torch.where(one, 1.0, wins)
    rows = torch.arange(layout.n_rows, device=u.device)
    first, last = outcomes[rows, layout.by_class[:, 0]], outcomes[rows, layout.by_class[:, -1]]
    return (last + (first - last) * wins).reshape(layout.shape)


_RELAXED: tuple[tuple[type, Callable[[Any, Tensor, str | None], Tensor]], ...] = (
    (Fixed, _fixed),
    (PartlyFixed, _partly),
    (SignLayout, _sign),
    (CompareLayout, _compare),
    (ThermometerLayout, _thermometer),
    (MarginLayout, _margin),
    (ChooseLayout, _choose),
)

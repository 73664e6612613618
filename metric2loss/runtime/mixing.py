"""Mixes a primary loss with a surrogate over the training: L = α · primary + β · surrogate (Battash, Hazan, Wolf).

One number F sets both: β = 1 / (1 − 2F) and α = 1; F = 0.5 means the surrogate alone, α = 0 and β = 1.  Their mixture of
cross entropy with the expectation loss 1 − p(y|x) is, for the loss of accuracy,

    Mixed(torch.nn.CrossEntropyLoss(), AccuracyLoss("direct", encoding="margin-lse", total_steps=N), "gradual")
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn

from metric2loss.runtime import interpolants
from metric2loss.runtime.loss import SurrogateLoss

Phases = Sequence[tuple[float, float]]

SCHEDULES: dict[str, Phases] = {
    "equal": ((0.0, 0.0),),  # [0]
    "late": ((0.0, 0.0), (0.95, 0.5)),  # [0, 0.5]: the surrogate alone for the last 5 %
    "gradual": tuple((k / 6, k / 10) for k in range(6)),  # [0, .1, .2, .3, .4, .5] in equal phases
}


def weights(f: float) -> tuple[float, float]:
    """α and β."""
    if not 0 <= f <= 0.5:
        raise ValueError(f"F is in [0, 0.5], not {f}")
    return (0.0, 1.0) if f == 0.5 else (1.0, 1 / (1 - 2 * f))


class Mixed(nn.Module):
    """α · primary + β · surrogate, with the weights of the surrogate's progress.

    primary: any loss, called with the same arguments; or "pull", derived from the metric's steps alone, without its values
    (one factored batch serves both).  F: a number, a schedule's name ("equal", "late", "gradual"), a sequence of numbers
    (phases of equal length) or of (progress from which, number) pairs.  `.metric` is the surrogate's.
    """

    def __init__(
        self,
        primary: Callable[..., Tensor] | str,
        surrogate: SurrogateLoss,
        F: float | str | Sequence[float] | Phases = "equal",
    ) -> None:
        super().__init__()
        if isinstance(primary, str) and primary != "pull":
            raise ValueError(f'the derived primary is called "pull", not {primary!r}')
        self.primary = primary
        self.surrogate = surrogate
        self.phases = phases(F)
        self._pull = interpolants.Pull()

    def forward(self, *args: Any, **kwargs: Any) -> Tensor:
        """The mixture at this batch."""
        if isinstance(self.primary, str):
            first, second = self.surrogate.alongside(self._pull, *args, **kwargs)
        else:
            second = self.surrogate(*args, **kwargs)
            first = None
        alpha, beta = self.weights
        if not alpha:
            return beta * second
        if first is None:
            assert callable(self.primary)
            first = self.primary(*args, **kwargs)
        return alpha * first + beta * second

    @property
    def F(self) -> float:
        """The F of the surrogate's progress."""
        progress = float(self.surrogate.progress)
        return [f for start, f in self.phases if progress >= start - 1e-9][-1]

    @property
    def weights(self) -> tuple[float, float]:
        """α and β of the surrogate's progress."""
        return weights(self.F)

    @property
    def metric(self) -> Tensor:
        """The exact metric of the last batch."""
        return self.surrogate.metric

    def extra_repr(self) -> str:
        """What print shows of the schedule."""
        return f"F={[f for _, f in self.phases]}"


def phases(f: float | str | Sequence[float] | Phases) -> tuple[tuple[float, float], ...]:
    """(progress from which, F) pairs in order, the first from 0."""
    if isinstance(f, str):
        if f not in SCHEDULES:
            raise ValueError(f"no schedule is named {f!r}; there are {', '.join(SCHEDULES)}")
        f = SCHEDULES[f]
    entries: list[Any] = list(f) if isinstance(f, Sequence) else [f]
    found = [
        (float(x[0]), float(x[1])) if isinstance(x, Sequence) else (k / len(entries), float(x))
        for k, x in enumerate(entries)
    ]
    if not found or found[0][0] != 0 or found != sorted(found, key=lambda phase: phase[0]):
        raise ValueError(f"phases are in order and begin at 0, unlike {found}")
    for _, number in found:
        weights(number)
    return tuple(found)

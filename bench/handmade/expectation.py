"""Labels to the expectation loss, alone and mixed with cross-entropy on a schedule."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

# F of each phase, and where the phases end as shares of the training (Battash et al.)
SCHEDULES: dict[str, tuple[tuple[float, float], ...]] = {
    "equal": ((1.0, 0.0),),
    "late": ((0.95, 0.0), (1.0, 0.5)),
    "gradual": tuple(((phase + 1) / 6, phase / 10) for phase in range(6)),
}


def expectation(scores: Tensor, labels: Tensor) -> Tensor:
    """1 − p(y|x), p = softmax(scores); mean over examples. Shapes: (n, classes), (n,)."""
    return (1 - torch.softmax(scores, 1).gather(1, labels[:, None])).mean()


def weights(focus: float) -> tuple[float, float]:
    """α and β that put the largest gradient at p(y|x) = F: 1 and 1 / (1 − 2F); for F = 0.5 expectation alone."""
    return (0.0, 1.0) if focus == 0.5 else (1.0, 1 / (1 - 2 * focus))


class MixedCrossEntropy(nn.Module):
    """α CE + β EL, F following a schedule over `total_steps` calls in training mode.

    Battash, Hazan and Wolf, Mixing between the Cross Entropy and the Expectation Loss Terms, eq. 12 and 14.
    """

    def __init__(self, total_steps: int, schedule: str = "equal") -> None:
        super().__init__()
        self.phases = SCHEDULES[schedule]
        self.total_steps, self.step = total_steps, 0

    def forward(self, scores: Tensor, labels: Tensor) -> Tensor:
        alpha, beta = weights(self.focus())
        if self.training:
            self.step += 1
        loss = beta * expectation(scores, labels)
        return loss + alpha * functional.cross_entropy(scores, labels) if alpha else loss

    def focus(self) -> float:
        """F at the current step."""
        progress = min(self.step / self.total_steps, 1.0)
        return next((focus for end, focus in self.phases if progress < end), self.phases[-1][1])

"""Labels to the focal loss, which turns away from what is already right."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def focal(scores: Tensor, labels: Tensor, gamma: float = 2.0) -> Tensor:
    """−(1 − p)^γ log p, p = softmax(scores) at the label; mean over examples. Shapes: (n, classes), (n,).

    Lin et al., Focal Loss for Dense Object Detection, ICCV 2017, eq. 4, with p for several classes; γ = 2 as there.
    """
    log_p = functional.log_softmax(scores, 1).gather(1, labels[:, None])[:, 0]
    return (-((1 - log_p.exp()) ** gamma) * log_p).mean()


def binary_focal(scores: Tensor, labels: Tensor, gamma: float = 2.0, alpha: float = 0.25) -> Tensor:
    """−α_t (1 − p_t)^γ log p_t, with p_t = p and α_t = α for positives, 1 − p and 1 − α for negatives; mean over examples.

    Lin et al., ICCV 2017, eq. 5; α = 0.25 and γ = 2 as there. Shapes: (n,), (n,).
    """
    positive = labels.bool()
    log_p = functional.logsigmoid(scores.where(positive, -scores))
    weight = alpha * positive + (1 - alpha) * ~positive
    return (-weight * (1 - log_p.exp()) ** gamma * log_p).mean()

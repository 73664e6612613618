"""Labels to losses of a classifier that may ask instead of answer: its last output is for asking, at a price.

Shapes: (n, classes + 1), (n,).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def gamblers(scores: Tensor, labels: Tensor, price: float = 0.3) -> Tensor:
    """−log(p_y + p_ask / o), p = softmax(scores); mean over examples. The payoff o = 1 / (1 − price).

    Ziyin et al., Deep Gamblers: Learning to Abstain with Portfolio Theory, NeurIPS 2019; at this o a bet on a class is worth
    it from p = 1 − price on, which is where asking begins to cost more than answering.
    """
    log_p = functional.log_softmax(scores, 1)
    ask = log_p[:, -1] + torch.log1p(torch.tensor(-price))
    return -torch.logaddexp(log_p.gather(1, labels[:, None])[:, 0], ask).mean()


def deferring(scores: Tensor, labels: Tensor, price: float = 0.3) -> Tensor:
    """−log p_y − (1 − price) log p_ask, p = softmax(scores); mean over examples.

    Mozannar and Sontag, Consistent Estimators for Learning to Defer to an Expert, ICML 2020, with an expert that costs the same
    everywhere (Cao et al., Generalizing Consistent Multi-Class Classification with Rejection to be Compatible with
    Arbitrary Losses, NeurIPS 2022).
    """
    log_p = functional.log_softmax(scores, 1)
    return -(log_p.gather(1, labels[:, None])[:, 0] + (1 - price) * log_p[:, -1]).mean()


def soft_price(scores: Tensor, labels: Tensor, price: float = 0.3) -> Tensor:
    """The expected cost of a decision drawn from the softmax: 1 − p_y − (1 − price) p_ask; mean over examples."""
    p = torch.softmax(scores, 1)
    return (1 - p.gather(1, labels[:, None])[:, 0] - (1 - price) * p[:, -1]).mean()

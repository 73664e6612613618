"""Times and whether the event was seen, to Cox's partial likelihood and to a logistic loss of the comparable pairs.

Shapes: (n,) each; risk is high where the event is expected early.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def cox(risk: Tensor, times: Tensor, observed: Tensor) -> Tensor:
    """−r_i + log Σ_j exp r_j over those still at risk at time i; mean over the events that were seen. Ties after Breslow.

    Cox, Regression Models and Life-Tables, 1972; as the loss of a network: Katzman et al., DeepSurv, 2018.
    """
    at_risk = times[None, :] >= times[:, None]
    total = torch.logsumexp(risk[None, :].expand_as(at_risk).masked_fill(~at_risk, -torch.inf), 1)
    seen = observed.to(risk.dtype)
    return ((total - risk) * seen).sum() / seen.sum().clamp(min=1)


def concordance_logistic(risk: Tensor, times: Tensor, observed: Tensor) -> Tensor:
    """log(1 + exp(−(r_i − r_j))), mean over pairs where event i was seen before time j.

    Raykar et al., On Ranking in Survival Analysis: Bounds on the Concordance Index, NIPS 2007 (the log-sigmoid bound).
    """
    comparable = (times[:, None] < times[None, :]) & (observed[:, None] == 1)
    costs = functional.softplus(risk[None, :] - risk[:, None])
    return costs.where(comparable, 0).sum() / comparable.sum().clamp(min=1)

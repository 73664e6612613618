"""Grades to ranking losses: pairwise logistic (RankNet), LambdaRank, listwise cross-entropy (ListNet).

Scores and grades are (queries, documents), or (documents,) for one list. A document whose score is PADDED is not there: lists of
different lengths are filled up with it, and with grade 0.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

PADDED = -1e6


def present(scores: Tensor) -> Tensor:
    """Which documents are no padding."""
    return scores.detach() > PADDED / 2


def pairs(scores: Tensor, grades: Tensor) -> Tensor:
    """(…, i, j): i has the higher grade, and both are there."""
    there = present(scores)
    return (grades[..., :, None] > grades[..., None, :]) & there[..., :, None] & there[..., None, :]


def pairwise_logistic(scores: Tensor, grades: Tensor) -> Tensor:
    """log(1 + exp(−(s_i − s_j))), mean over all pairs with grade_i > grade_j.

    Burges et al., Learning to Rank using Gradient Descent, ICML 2005 (RankNet) with certain preferences.
    """
    wanted = pairs(scores, grades)
    costs = functional.softplus(scores[..., None, :] - scores[..., :, None])
    return costs.where(wanted, 0).sum() / wanted.sum().clamp(min=1)


def lambdarank(scores: Tensor, grades: Tensor, k: int = 10) -> Tensor:
    """|ΔNDCG@k_ij| log(1 + exp(−(s_i − s_j))), sum over pairs with grade_i > grade_j, mean over queries.

    Burges, From RankNet to LambdaRank to LambdaMART, 2010: ΔNDCG is the change when documents i and j swap ranks in the current
    order; its gradient is λ_ij, as the weights are constants. Discounts are 0 below rank k. A query without a relevant
    document has no pairs.
    """
    swap = swap_gains(scores.detach(), grades, k)
    costs = functional.softplus(scores[..., None, :] - scores[..., :, None])
    lists = max(1, scores.numel() // scores.shape[-1])
    return (swap * costs).where(pairs(scores, grades), 0).sum() / lists


def swap_gains(scores: Tensor, grades: Tensor, k: int) -> Tensor:
    """(…, i, j): |ΔNDCG@k| of swapping i and j."""
    gains = 2.0 ** grades.to(scores.dtype) - 1
    places = torch.argsort(torch.argsort(scores, -1, descending=True), -1)
    discounts = discount(places, k, scores.dtype)
    ideal = (gains.sort(-1, descending=True).values * discount(torch.arange(scores.shape[-1]), k, scores.dtype)).sum(-1)
    change = (gains[..., :, None] - gains[..., None, :]) * (discounts[..., :, None] - discounts[..., None, :])
    tiny = torch.finfo(scores.dtype).tiny  # where nothing is relevant all gains are 0
    return change.abs() / ideal.clamp(min=tiny)[..., None, None]


def discount(places: Tensor, k: int, dtype: torch.dtype) -> Tensor:
    """1 / log2(2 + place) for the first k places, counted from 0, and 0 below."""
    return torch.where(places < k, 1 / torch.log2(places.to(dtype) + 2), torch.zeros((), dtype=dtype))


def listwise_cross_entropy(scores: Tensor, grades: Tensor) -> Tensor:
    """−Σ_i q_i log p_i with p = softmax(scores), q = softmax(grades); mean over queries.

    Cao et al., Learning to Rank: From Pairwise Approach to Listwise Approach, ICML 2007 (ListNet, top-one probabilities).
    """
    there = present(scores)
    log_p = functional.log_softmax(scores.masked_fill(~there, -torch.inf), -1)
    q = torch.softmax(grades.to(scores.dtype).masked_fill(~there, -torch.inf), -1)
    return -(q * log_p.masked_fill(~there, 0)).sum(-1).mean()

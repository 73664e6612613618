"""Labels to the log-likelihood losses: BCE, its weighted form, CE, and BCE of each class against the rest."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def binary_cross_entropy(scores: Tensor, labels: Tensor) -> Tensor:
    """−y log p − (1 − y) log (1 − p), p = sigmoid(score); mean over examples. Shapes: (n,), (n,)."""
    return functional.binary_cross_entropy_with_logits(scores, labels.to(scores.dtype))


def weighted_binary_cross_entropy(scores: Tensor, labels: Tensor) -> Tensor:
    """BCE with the positives weighted N/P, so that both classes of the batch weigh the same.

    The usual remedy for rare positives (`pos_weight` of torch.nn.BCEWithLogitsLoss). A batch of one class is not weighted.
    """
    labels = labels.to(scores.dtype)
    positives, negatives = labels.sum(), (1 - labels).sum()
    one_class = (positives == 0) | (negatives == 0)
    weight = (negatives / positives.clamp(min=1)).masked_fill(one_class, 1.0)
    return functional.binary_cross_entropy_with_logits(scores, labels, pos_weight=weight)


def cross_entropy(scores: Tensor, labels: Tensor) -> Tensor:
    """−log p(y|x), p = softmax(scores); mean over examples. Shapes: (n, classes), (n,)."""
    return functional.cross_entropy(scores, labels)


def one_against_rest(scores: Tensor, labels: Tensor) -> Tensor:
    """BCE of every class against all others; mean over examples and classes. Shapes: (n, classes), (n,).

    Rifkin and Klautau, In Defense of One-Vs-All Classification, JMLR 2004.
    """
    return binary_cross_entropy(scores, functional.one_hot(labels, scores.shape[1]))

"""Names to losses of LibAUC, SoftTorch and torchsort; a package is imported when its loss is made, and may be absent."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from bench.core.task import System

SOFTNESS = 0.1  # SoftTorch's own default, and torchsort's regularization in its soft ranks


@dataclass(frozen=True)
class Rival:
    """One loss of a package, and what it is made from: the number of training examples."""

    name: str
    package: str
    make: Callable[[int], Callable[..., Tensor]]
    what: str  # a line for the page

    @property
    def installed(self) -> bool:
        return importlib.util.find_spec(self.package) is not None

    @property
    def version(self) -> str:
        return f"{self.package} {importlib.metadata.version(self.package)}"


# LibAUC: the loss together with its optimizer, as its documentation trains


class AveragePrecision(System):
    """`APLoss` with SOAP. Takes probabilities, and which examples of the training data are in the batch."""

    def __init__(self, examples: int) -> None:
        self.loss = importlib.import_module("libauc.losses").APLoss(data_len=examples)

    def __call__(self, *given: Tensor) -> Tensor:
        scores, labels = given
        if not bool(labels.any()):  # LibAUC refuses such a batch
            return 0 * scores.sum()
        found: Tensor = self.loss(torch.sigmoid(scores)[:, None], labels[:, None].float(), self.rows)
        return found

    def optimizer(self, parameters: Iterable[nn.Parameter], learning_rate: float) -> torch.optim.Optimizer:
        made: torch.optim.Optimizer = importlib.import_module("libauc.optimizers").SOAP(
            list(parameters), lr=learning_rate, verbose=False
        )
        return made


class MarginAUC(System):
    """`AUCMLoss` with PESG, which ascends in the loss's own variable. Takes probabilities."""

    def __init__(self, mode: str) -> None:
        self.loss, self.mode = importlib.import_module("libauc.losses").AUCMLoss(), mode

    def __call__(self, *given: Tensor) -> Tensor:
        scores, labels = given
        found: Tensor = self.loss(torch.sigmoid(scores)[:, None], labels[:, None].float())
        return found.sum()  # its shape is (1,)

    def optimizer(self, parameters: Iterable[nn.Parameter], learning_rate: float) -> torch.optim.Optimizer:
        made: torch.optim.Optimizer = importlib.import_module("libauc.optimizers").PESG(
            list(parameters), loss_fn=self.loss, lr=learning_rate, mode=self.mode, verbose=False
        )
        return made


# SoftTorch: the metric with each of its steps replaced by the package's soft one


def softtorch() -> Any:
    return importlib.import_module("softtorch")


def soft_sorted_precision(scores: Tensor, labels: Tensor) -> Tensor:
    """1 − the metric of examples/metrics/average_precision.py with a soft argsort."""
    y = labels.to(scores.dtype)
    if not bool(labels.any()):
        return 0 * scores.sum()
    hits = softtorch().argsort(scores, descending=True, softness=SOFTNESS) @ y
    precision = torch.cumsum(hits, 0) / torch.arange(1, len(hits) + 1)
    found: Tensor = 1 - (precision * hits).sum() / y.sum()
    return found


def soft_compared_precision(scores: Tensor, labels: Tensor) -> Tensor:
    """1 − average precision from soft comparisons of each positive with all items."""
    good = labels == 1
    if not bool(good.any()):
        return 0 * scores.sum()
    above = softtorch().greater(scores[None, :], scores[good][:, None], softness=SOFTNESS)
    found: Tensor = 1 - (above[:, good].sum(1) / above.sum(1).clamp(min=1e-6)).mean()
    return found


def soft_auc(scores: Tensor, labels: Tensor) -> Tensor:
    """1 − the share of pairs in order, by soft comparisons."""
    good, bad = scores[labels == 1], scores[labels == 0]
    if not len(good) or not len(bad):
        return 0 * scores.sum()
    found: Tensor = 1 - softtorch().greater(good[:, None], bad[None, :], softness=SOFTNESS).mean()
    return found


def soft_ndcg(scores: Tensor, grades: Tensor, k: int = 10) -> Tensor:
    """1 − NDCG@k with a soft argsort; queries without a relevant document count as nothing, as in the metric."""
    gains = 2.0 ** grades.to(scores.dtype) - 1
    order = softtorch().argsort(scores, dim=1, descending=True, softness=SOFTNESS)  # (queries, place, document)
    discounts = (torch.arange(scores.shape[1]) < k) / torch.log2(torch.arange(scores.shape[1]) + 2.0)
    reached: Tensor = ((order @ gains[:, :, None])[..., 0] * discounts).sum(1)
    ideal = (gains.sort(1, descending=True).values * discounts).sum(1)
    return 1 - (reached / ideal.clamp(min=1e-9)).mean()


def soft_accuracy(scores: Tensor, labels: Tensor) -> Tensor:
    """1 − accuracy with a soft argmax."""
    chosen: Tensor = softtorch().argmax(scores, dim=1, softness=SOFTNESS)
    return 1 - chosen.gather(1, labels[:, None]).mean()


def soft_spearman(scores: Tensor, targets: Tensor) -> Tensor:
    """1 − the correlation of soft ranks with the targets' own."""
    return 1 - correlation(softtorch().rank(scores, descending=False, softness=SOFTNESS), targets)


# torchsort: soft ranks, from which the metric follows


def torchsort_ranks(scores: Tensor) -> Tensor:
    found: Tensor = importlib.import_module("torchsort").soft_rank(scores[None], regularization_strength=SOFTNESS)
    return found[0]


def ranked_precision(scores: Tensor, labels: Tensor) -> Tensor:
    """1 − average precision, place among the positives over place among all; the former is taken as a constant."""
    good = labels == 1
    if not bool(good.any()):
        return 0 * scores.sum()
    place = torchsort_ranks(-scores)[good]
    within = place.detach().argsort().argsort() + 1
    found: Tensor = 1 - (within / place).mean()
    return found


def ranked_spearman(scores: Tensor, targets: Tensor) -> Tensor:
    """1 − Spearman's correlation as torchsort's own example has it."""
    return 1 - correlation(torchsort_ranks(scores), targets)


def correlation(ranks: Tensor, targets: Tensor) -> Tensor:
    """Pearson's, of ranks with the ranks of the targets."""
    own = targets.argsort().argsort().to(ranks.dtype)
    a, b = ranks - ranks.mean(), own - own.mean()
    return (a * b).sum() / (a.square().sum() * b.square().sum()).sqrt().clamp(min=1e-9)


def steady(criterion: Callable[..., Tensor]) -> Callable[[int], Callable[..., Tensor]]:
    return lambda _: criterion


LIBAUC_AP = Rival("libauc-ap", "libauc", AveragePrecision, "LibAUC's `APLoss` and its optimizer SOAP")
LIBAUC_AUCM = Rival("libauc-aucm", "libauc", lambda _: MarginAUC("sgd"), "LibAUC's `AUCMLoss` and its optimizer PESG")
LIBAUC_AUCM_ADAM = Rival("libauc-aucm-adam", "libauc", lambda _: MarginAUC("adam"), "the same in PESG's mode `adam`")
SORTED_AP = Rival("softtorch-ap", "softtorch", steady(soft_sorted_precision), "the metric with SoftTorch's `argsort`")
PAIRS_AP = Rival("softtorch-pairs", "softtorch", steady(soft_compared_precision), "the metric by SoftTorch's `greater`")
RANKED_AP = Rival("torchsort-ap", "torchsort", steady(ranked_precision), "the metric from torchsort's `soft_rank`")
AVERAGE_PRECISION = (LIBAUC_AP, SORTED_AP, PAIRS_AP, RANKED_AP)
ACCURACY = (Rival("softtorch-accuracy", "softtorch", steady(soft_accuracy), "the metric with SoftTorch's `argmax`"),)
NDCG = (Rival("softtorch-ndcg", "softtorch", steady(soft_ndcg), "the metric with SoftTorch's `argsort`"),)

RIVALS: Mapping[str, tuple[Rival, ...]] = {
    "accuracy-linear-noise": ACCURACY,
    "accuracy-mlp": ACCURACY,
    "ap-digit8": AVERAGE_PRECISION,
    "ap-digit8-noise": AVERAGE_PRECISION,
    "ap-linear": AVERAGE_PRECISION,
    "ndcg-mlp": NDCG,
    "ndcg-linear": NDCG,
    "auc-noise": (
        LIBAUC_AUCM,
        LIBAUC_AUCM_ADAM,
        Rival("softtorch-auc", "softtorch", steady(soft_auc), "the metric by SoftTorch's `greater`"),
    ),
    "spearman": (
        Rival("softtorch-spearman", "softtorch", steady(soft_spearman), "correlation of SoftTorch's `rank`"),
        Rival("torchsort-spearman", "torchsort", steady(ranked_spearman), "correlation of torchsort's `soft_rank`"),
    ),
}


def rival(task: str, name: str) -> Rival | None:
    """The rival with this name, if the task has one."""
    return next((found for found in RIVALS.get(task, ()) if found.name == name), None)

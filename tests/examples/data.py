"""Inputs for every metric of examples/metrics: ordinary batches, batches with ties, degenerate batches, perfect scores."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

METRICS = Path(__file__).resolve().parents[2] / "examples" / "metrics"

Inputs = dict[str, Any]
Maker = Callable[[np.random.Generator], Inputs]

ORDINARY = ("floats", "ties", "one_row", "all_equal")
DEGENERATE = ("no_positive", "only_positive", "one_class", "nan", "infinite", "saturated", "empty")


@dataclass(frozen=True)
class Example:
    """One metric with the means to feed it; inputs are in the metric's own library and keyed by parameter name."""

    name: str  # the file's stem
    function: str
    scores: str
    library: str  # "numpy" | "torch" | "python"
    direction: str
    best: float  # the metric's value at `perfect`
    separable: bool  # a mean over rows of row-local values
    binaries: Callable[[Inputs], int] | None
    make: Maker  # a batch with continuous random scores
    ideal: Callable[[Inputs], Any]  # perfect scores for a batch
    degenerate: Mapping[str, Callable[[Inputs], Inputs]]  # name -> change of an ordinary batch
    rows: Callable[[Inputs, int], Inputs]  # the first rows of a batch

    @property
    def path(self) -> Path:
        return METRICS / f"{self.name}.py"

    @property
    def metric(self) -> Callable[..., Any]:
        """The user's function, from a fresh import of the file."""
        return getattr(load(self.path), self.function)  # type: ignore[no-any-return]

    def batch(self, kind: str = "floats", seed: int = 0) -> Inputs:
        """One batch of the named kind; the same kind and seed give the same batch."""
        inputs = self.make(np.random.default_rng(seed))
        if kind == "floats":
            return self.native(inputs)
        if kind == "one_row":
            return self.native(self.rows(inputs, 1))
        if kind == "empty":
            return self.native(self.rows(inputs, 0))
        change = SCORE_CHANGES.get(kind)
        if change is not None:
            return self.native(inputs | {self.scores: change(inputs[self.scores])})
        return self.native(self.degenerate[kind](inputs))

    def perfect(self, seed: int = 0) -> Inputs:
        """The ordinary batch with the best scores there are."""
        inputs = self.make(np.random.default_rng(seed))
        return self.native(inputs | {self.scores: self.ideal(inputs)})

    def kinds(self) -> tuple[str, ...]:
        """Every kind of batch this metric has, `empty` and non-finite ones included."""
        return (
            ORDINARY
            + tuple(kind for kind in DEGENERATE if kind in SCORE_CHANGES or kind in self.degenerate)
            + ("empty",)
        )

    def native(self, inputs: Inputs) -> Inputs:
        """Arrays in the metric's own library."""
        return {name: to_library(value, self.library) for name, value in inputs.items()}

    def as_tensors(self, inputs: Inputs) -> Inputs:
        """The same batch for a loss: the scores as a leaf tensor that requires grad, arrays as tensors."""
        tensors = {name: to_library(value, "torch") for name, value in inputs.items()}
        scores = torch.as_tensor(np.asarray(inputs[self.scores])).clone()
        return tensors | {self.scores: scores.requires_grad_()}


def load(path: Path) -> ModuleType:
    """Execute a Python file as a module that is not kept in sys.modules."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def to_library(value: Any, library: str) -> Any:
    """Arrays to tensors or back; everything else as it is."""
    if library == "torch" and isinstance(value, np.ndarray):
        return torch.from_numpy(np.ascontiguousarray(value))
    if library != "torch" and isinstance(value, torch.Tensor):
        return value.detach().numpy()
    return value


def examples() -> Iterator[Example]:
    """Every example, in the order of the table."""
    yield from EXAMPLES


def named(name: str) -> Example:
    """The example of the file `<name>.py`."""
    return next(example for example in EXAMPLES if example.name == name)


# What can happen to scores whatever they mean. Each keeps shape and dtype.


def coarse(scores: np.ndarray) -> np.ndarray:
    """A few values only, so that ties occur everywhere; probabilities stay in [0, 1]."""
    if scores.min() >= 0 and scores.max() <= 1:
        return np.round(scores * 4) / 4
    return np.round(scores)


def poke(value: float) -> Callable[[np.ndarray], np.ndarray]:
    """Put one bad number among the scores."""

    def change(scores: np.ndarray) -> np.ndarray:
        spoiled = scores.copy()
        spoiled.reshape(-1)[spoiled.size // 2] = value
        return spoiled

    return change


SCORE_CHANGES: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "ties": coarse,
    "all_equal": lambda scores: np.full_like(scores, 0.5),
    "nan": poke(float("nan")),
    "infinite": poke(float("inf")),
    "saturated": lambda scores: np.where(scores > np.median(scores), 1e4, -1e4).astype(scores.dtype),
}


def fill(name: str, value: int) -> Callable[[Inputs], Inputs]:
    """Set every entry of one parameter."""
    return lambda inputs: inputs | {name: np.full_like(inputs[name], value)}


def first(*names: str) -> Callable[[Inputs, int], Inputs]:
    """Keep the first rows of the named parameters."""
    return lambda inputs, n: inputs | {name: inputs[name][:n] for name in names}


def one_hot(labels: np.ndarray, classes: int, axis: int = -1) -> np.ndarray:
    """1 at the label, 0 elsewhere, with the class axis put where the metric wants it."""
    return np.moveaxis(np.eye(classes)[labels], -1, axis)


# Families: metrics that take the same kind of batch.


def classification(
    score: str, target: str, n: int = 12, classes: int = 4, probabilities: bool = False
) -> dict[str, Any]:
    """One row of class scores an example."""

    def make(rng: np.random.Generator) -> Inputs:
        scores = rng.normal(size=(n, classes))
        if probabilities:
            scores = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        labels = rng.permutation(np.arange(n) % classes)  # every class occurs where n allows
        return {score: scores, target: labels}

    return {
        "scores": score,
        "make": make,
        "ideal": lambda inputs: one_hot(inputs[target], inputs[score].shape[1]),
        "degenerate": {"one_class": fill(target, 1)},
        "rows": first(score, target),
    }


def binary(score: str, target: str, n: int = 20, share: float = 0.3, kind: str = "real") -> dict[str, Any]:
    """One score an item, 0/1 targets, at least one of each."""

    def make(rng: np.random.Generator) -> Inputs:
        labels = (rng.random(n) < share).astype(np.int64)
        labels[:2] = 1, 0
        scores = rng.random(n) if kind == "probability" else rng.normal(size=n)
        return {score: scores, target: labels}

    low = 0.0 if kind == "probability" else -1.0
    return {
        "scores": score,
        "make": make,
        "ideal": lambda inputs: np.where(inputs[target] == 1, 1.0, low),
        "degenerate": {"no_positive": fill(target, 0), "only_positive": fill(target, 1)},
        "rows": first(score, target),
    }


def ranking(score: str, target: str, grades: int = 2, most: int = 9) -> dict[str, Any]:
    """Four queries of nine items, graded relevance; at most `most` items of a query are relevant."""

    def make(rng: np.random.Generator) -> Inputs:
        relevance = rng.integers(grades, size=(4, 9))
        relevance[:, 0] = grades - 1
        relevance[:, 1] = 0
        relevance[:, most:] = 0
        relevance = rng.permuted(relevance, axis=1)
        return {score: rng.normal(size=relevance.shape), target: relevance}

    return {
        "scores": score,
        "make": make,
        "ideal": lambda inputs: inputs[target].astype(float),
        "degenerate": {"no_positive": fill(target, 0), "only_positive": fill(target, grades - 1)},
        "rows": first(score, target),
    }


def segmentation(score: str, target: str, classes: int, n: int = 2, side: int = 4) -> dict[str, Any]:
    """One score a pixel and class; with classes == 1 a binary mask without class axis."""

    def make(rng: np.random.Generator) -> Inputs:
        shape = (n, side, side) if classes == 1 else (n, classes, side, side)
        return {score: rng.normal(size=shape), target: rng.integers(max(classes, 2), size=(n, side, side))}

    def ideal(inputs: Inputs) -> np.ndarray:
        return inputs[target] * 2.0 - 1.0 if classes == 1 else one_hot(inputs[target], classes, axis=1)

    return {
        "scores": score,
        "make": make,
        "ideal": ideal,
        "degenerate": {"no_positive": fill(target, 0), "one_class": fill(target, 1)},
        "rows": first(score, target),
    }


# Metrics whose batches are their own.


def pose_batch(rng: np.random.Generator, n: int = 3, joints: int = 2, side: int = 6) -> Inputs:
    return {
        "heatmaps": rng.normal(size=(n, joints, side, side)),
        "joints": rng.integers(side, size=(n, joints, 2)),
        "head_sizes": rng.uniform(2.0, 4.0, size=n),
    }


def pose_ideal(inputs: Inputs) -> np.ndarray:
    _, _, height, width = inputs["heatmaps"].shape
    x, y = inputs["joints"][..., 0, None, None], inputs["joints"][..., 1, None, None]
    rows, columns = np.indices((height, width))
    return ((rows == y) & (columns == x)).astype(float)  # type: ignore[no-any-return]


def pose_binaries(inputs: Inputs) -> int:
    """The paper's m(M - m): pixels inside the radius against those outside."""
    maps, joints = np.asarray(inputs["heatmaps"]), np.asarray(inputs["joints"])
    rows, columns = np.indices(maps.shape[2:])
    distance = np.hypot(columns - joints[..., 0, None, None], rows - joints[..., 1, None, None])
    inside = (distance <= 0.5 * np.asarray(inputs["head_sizes"])[:, None, None, None]).sum(axis=(2, 3))
    return int((inside * (maps[0, 0].size - inside)).sum())


POSE: dict[str, Any] = {
    "scores": "heatmaps",
    "make": pose_batch,
    "ideal": pose_ideal,
    "degenerate": {"no_positive": lambda inputs: inputs | {"head_sizes": np.full_like(inputs["head_sizes"], -1.0)}},
    "rows": first("heatmaps", "joints", "head_sizes"),
}

RATING: dict[str, Any] = {
    "scores": "y_pred",
    "make": lambda rng: {"y_true": rng.integers(5, size=15), "y_pred": rng.uniform(-0.5, 4.5, size=15)},
    "ideal": lambda inputs: inputs["y_true"].astype(float),
    "degenerate": {"one_class": fill("y_true", 2)},
    "rows": first("y_true", "y_pred"),
}

PAIRED: dict[str, Any] = {
    "scores": "preds",
    "make": lambda rng: {"preds": rng.normal(size=8), "targets": rng.integers(4, size=8)},
    "ideal": lambda inputs: inputs["targets"].astype(float),
    "degenerate": {"one_class": fill("targets", 1)},
    "rows": first("preds", "targets"),
}

REAL_TARGETS: dict[str, Any] = {
    "scores": "predictions",
    "make": lambda rng: {"predictions": rng.normal(size=8), "targets": rng.normal(size=8)},
    "ideal": lambda inputs: np.argsort(np.argsort(inputs["targets"])).astype(float),
    "degenerate": {"one_class": fill("targets", 1)},
    "rows": first("predictions", "targets"),
}

TARGET_ITEM: dict[str, Any] = classification("scores", "target", n=5, classes=8)

USERS: dict[str, Any] = {
    "scores": "scores",
    "make": lambda rng: {
        "scores": rng.normal(size=(3, 8)),
        "relevant": [sorted(rng.choice(8, size=5, replace=False).tolist()) for _ in range(3)],
    },
    "ideal": lambda inputs: np.array([[float(i in row) for i in range(8)] for row in inputs["relevant"]]),
    "degenerate": {"no_positive": lambda inputs: inputs | {"relevant": [[] for _ in inputs["relevant"]]}},
    "rows": first("scores", "relevant"),
}


SURVIVAL: dict[str, Any] = {
    "scores": "risk_scores",
    "make": lambda rng: {
        "times": rng.permutation(10) + 1.0,
        "risk_scores": rng.normal(size=10),
        "observed": rng.permutation(np.arange(10) % 3 > 0).astype(int),
    },
    "ideal": lambda inputs: -inputs["times"],
    "degenerate": {"no_positive": fill("observed", 0), "one_class": fill("times", 1)},
    "rows": first("times", "risk_scores", "observed"),
}

LABELLED: dict[str, Any] = ranking("logits", "targets") | {"ideal": lambda inputs: inputs["targets"] * 2.0 - 1.0}


def grouped(rng: np.random.Generator) -> Inputs:
    labels = rng.permutation(np.arange(12) % 4)
    return {"logits": rng.normal(size=(12, 4)), "labels": labels, "groups": rng.permutation(np.arange(12) % 2)}


GROUPS: dict[str, Any] = classification("logits", "labels") | {
    "make": grouped,
    "degenerate": {"one_class": fill("groups", 1)},
    "rows": first("logits", "labels", "groups"),
}


def may_ask(rng: np.random.Generator) -> Inputs:
    return {"scores": rng.normal(size=(12, 4)), "labels": rng.permutation(np.arange(12) % 3)}


ASKING: dict[str, Any] = classification("scores", "labels") | {"make": may_ask}


# How many binary variables the paper would count.


def of_choice(score: str) -> Callable[[Inputs], int]:
    """n(p - 1): the right class against every other."""
    return lambda inputs: int(np.shape(inputs[score])[0] * (np.shape(inputs[score])[1] - 1))


def of_pairs(target: str) -> Callable[[Inputs], int]:
    """P * N: the pairs of items whose labels differ."""
    return lambda inputs: int((np.asarray(inputs[target]) == 1).sum() * (np.asarray(inputs[target]) != 1).sum())


def of_grades(target: str) -> Callable[[Inputs], int]:
    """Per row, the pairs of items with different grades."""

    def count(inputs: Inputs) -> int:
        grades = np.asarray(inputs[target])
        return int((grades[:, :, None] != grades[:, None, :]).sum() // 2)

    return count


def example(name: str, function: str, family: dict[str, Any], **facts: Any) -> Example:
    """One row of the table, with the commonest facts left out."""
    defaults = {"library": "numpy", "direction": "maximize", "best": 1.0, "separable": False, "binaries": None}
    return Example(name=name, function=function, **(family | defaults | facts))


EXAMPLES: tuple[Example, ...] = (
    example("accuracy", "accuracy", classification("scores", "labels"), separable=True, binaries=of_choice("scores")),
    example(
        "accuracy_torch",
        "accuracy",
        classification("outputs", "labels"),
        library="torch",
        separable=True,
        binaries=of_choice("outputs"),
    ),
    example(
        "topk_accuracy",
        "topk_accuracy",
        classification("output", "target", classes=6),
        library="torch",
        best=100.0,
        separable=True,
    ),
    example("macro_f1", "macro_f1", classification("logits", "y_true")),
    example(
        "f1_threshold", "f1_score", binary("y_prob", "y_true", kind="probability"), binaries=lambda i: len(i["y_prob"])
    ),
    example("f1_torch", "f1", binary("logits", "targets"), library="torch", binaries=lambda i: len(i["logits"])),
    example("f_beta", "f_beta", binary("logits", "labels"), binaries=lambda i: len(i["logits"])),
    example("average_precision", "average_precision", binary("scores", "labels"), binaries=of_pairs("labels")),
    example(
        "average_precision_torch",
        "average_precision",
        binary("preds", "target"),
        library="torch",
        binaries=of_pairs("target"),
    ),
    example("roc_auc", "roc_auc", binary("y_score", "y_true"), binaries=of_pairs("y_true")),
    example("roc_auc_torch", "roc_auc", binary("scores", "labels"), library="torch"),
    example(
        "ndcg", "ndcg_at_k", ranking("scores", "relevance", grades=4), separable=True, binaries=of_grades("relevance")
    ),
    example(
        "ndcg_torch", "ndcg", ranking("scores", "labels"), library="torch", separable=True, binaries=of_grades("labels")
    ),
    example("mrr", "mean_reciprocal_rank", ranking("scores", "labels"), separable=True, binaries=of_grades("labels")),
    example("hit_rate", "hit_rate", TARGET_ITEM, library="torch", separable=True),
    example("precision_at_k", "precision_at_k", USERS, library="python", separable=True),
    example(
        "recall_at_k", "recall_at_k", ranking("y_pred", "y_true", most=3), separable=True, binaries=of_grades("y_true")
    ),
    example("pckh", "pckh", POSE, separable=True, binaries=pose_binaries),
    example("mean_iou", "mean_iou", segmentation("logits", "masks", classes=3)),
    example("dice_torch", "dice", segmentation("logits", "mask", classes=1), library="torch", separable=True),
    example(
        "expected_cost",
        "expected_cost",
        classification("probs", "y", classes=3, probabilities=True),
        direction="minimize",
        best=0.0,
        separable=True,
    ),
    example("balanced_accuracy", "balanced_accuracy", classification("y_score", "y_true")),
    example("pairwise_accuracy", "pairwise_accuracy", PAIRED),
    example("spearman", "spearman", REAL_TARGETS),
    example("qwk", "quadratic_weighted_kappa", RATING),
    example("subset_accuracy", "subset_accuracy", LABELLED, separable=True, binaries=lambda i: i["logits"].size),
    example("mcc", "matthews_corrcoef", binary("y_score", "y_true"), binaries=lambda i: len(i["y_score"])),
    example("ks_statistic", "ks_statistic", binary("scores", "defaulted"), binaries=of_pairs("defaulted")),
    example("fpr_at_tpr", "fpr_at_tpr", binary("scores", "labels"), library="torch", direction="minimize", best=0.0),
    example("concordance", "concordance_index", SURVIVAL),
    example("worst_group", "worst_group_accuracy", GROUPS),
    example("abstention", "abstention_cost", ASKING, direction="minimize", best=0.0, separable=True),
    example("jaccard_torch", "jaccard", segmentation("output", "target", classes=1), library="torch", separable=True),
    example("lrap", "lrap", ranking("y_score", "y_true"), separable=True),
)

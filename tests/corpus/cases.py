"""The corpus as a table: for each metric its inputs, perfect scores, direction, and what is known about its compilation."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

Inputs = dict[str, Any]
Maker = Callable[[np.random.Generator], Inputs]

KINDS = (("floats", 0), ("floats", 1), ("ties", 2), ("one_row", 3))


@dataclass(frozen=True)
class Case:
    """One metric file, `tests/corpus/<name>.py`, with the means to feed it; inputs are keyed by parameter name."""

    name: str
    function: str
    scores: tuple[str, ...]
    direction: str
    library: str  # "numpy" | "torch"
    make: Maker  # a batch with continuous random scores
    ideal: Callable[[Inputs], Inputs]  # perfect scores of a batch, by parameter name
    returns: str | int | Callable[[Any], Any] | None = None
    pure: bool = True  # scores reach the value through steps only
    rows: tuple[str, ...] = ()  # parameters cut to their first row or query; () when one row makes no batch
    ties: Callable[[np.ndarray], np.ndarray] | None = None
    best: float | None = None  # the value at perfect scores, when it is a number worth writing down
    told: bool = False  # the best scores are given, for they are not found
    refused: str = ""  # the construct for which the metric is refused
    broken: Mapping[str, str] = field(default_factory=dict)  # test -> why it fails; "all": every test

    @property
    def metric(self) -> Callable[..., Any]:
        return getattr(importlib.import_module(f"tests.corpus.{self.name}"), self.function)  # type: ignore[no-any-return]

    def batch(self, kind: str = "floats", seed: int = 0) -> Inputs:
        """One batch in the metric's own library; the same kind and seed give the same batch."""
        inputs = self.make(np.random.default_rng(seed))
        if kind == "ties":
            inputs |= {name: everywhere(self.ties or coarse, inputs[name]) for name in self.scores}
        if kind == "one_row":
            inputs |= {name: inputs[name][:1] for name in self.rows}
        return self.native(inputs)

    def perfect(self, seed: int = 0) -> Inputs:
        """The ordinary batch with the best scores there are."""
        inputs = self.make(np.random.default_rng(seed))
        return self.native(inputs | self.ideal(inputs))

    def kinds(self) -> Iterator[tuple[str, int]]:
        """Batches on which the loss must be exact: random floats, ties, one row."""
        return (pair for pair in KINDS if pair[0] != "one_row" or self.rows)

    def native(self, inputs: Inputs) -> Inputs:
        """Arrays in the metric's own library."""
        return {name: _native(value, self.library) for name, value in inputs.items()}

    def tensors(self, inputs: Inputs) -> Inputs:
        """What a training loop passes: scores as tensors that require grad, everything else as it is."""
        return inputs | {name: everywhere(asking, inputs[name]) for name in self.scores}

    def value(self, inputs: Inputs) -> float:
        """The user's own function."""
        result = self.metric(**inputs)
        if callable(self.returns):
            result = self.returns(result)
        elif self.returns is not None:
            result = result[self.returns]
        return float(torch.as_tensor(result).double().mean())


def _native(value: Any, library: str) -> Any:
    """Arrays of doubles become single-precision tensors for a torch metric."""
    if library != "torch" or not isinstance(value, np.ndarray):
        return value
    tensor = torch.from_numpy(np.ascontiguousarray(value))
    return tensor.float() if tensor.is_floating_point() else tensor


def everywhere(change: Callable[[Any], Any], scores: Any) -> Any:
    """Arrays changed, alone or in dicts; single numbers stay numbers."""
    return {key: everywhere(change, x) for key, x in scores.items()} if isinstance(scores, dict) else change(scores)


def asking(scores: Any) -> torch.Tensor:
    """A tensor that asks for a gradient; a single number has double precision."""
    dtype = torch.float64 if isinstance(scores, float) else None
    return torch.as_tensor(scores, dtype=dtype).clone().requires_grad_()


def leaves(scores: Any) -> list[torch.Tensor]:
    """The tensors in scores of any form."""
    return [x for part in scores.values() for x in leaves(part)] if isinstance(scores, dict) else [scores]


def coarse(scores: np.ndarray) -> np.ndarray:
    """A few values only, so that ties occur everywhere; probabilities stay in [0, 1]."""
    if isinstance(scores, float):
        return round(scores * 2) / 2
    if scores.min() >= 0 and scores.max() <= 1:
        return np.round(scores * 4) / 4
    return np.round(scores)


def cases() -> tuple[Case, ...]:
    """Every case, in the order of the table."""
    return CASES


# Batches that many metrics share.


def one_hot(labels: np.ndarray, classes: int, axis: int = -1) -> np.ndarray:
    """1 at the label, 0 elsewhere."""
    return np.moveaxis(np.eye(classes)[labels], -1, axis)


def labelled(score: str, target: str, n: int = 10, classes: int = 4) -> dict[str, Any]:
    """Rows of class scores with one right class each."""
    return {
        "scores": (score,),
        "make": lambda rng: {score: rng.normal(size=(n, classes)), target: rng.permutation(np.arange(n) % classes)},
        "ideal": lambda inputs: {score: one_hot(inputs[target], classes) * 8.0},
        "rows": (score, target),
    }


def flat(score: str, target: str, n: int = 20, share: float = 0.4, kind: str = "real") -> dict[str, Any]:
    """One score an item and 0/1 targets, both classes present; `kind` real, probability or float32."""

    def make(rng: np.random.Generator) -> Inputs:
        labels = (rng.random(n) < share).astype(np.int64)
        labels[:2] = 1, 0
        return {score: rng.random(n) if kind == "probability" else rng.normal(size=n), target: labels}

    low, high = (0.05, 0.95) if kind == "probability" else (-1.0, 1.0)
    return {
        "scores": (score,),
        "make": make,
        "ideal": lambda inputs: {score: np.where(inputs[target] == 1, high, low)},
    }


def listed(score: str, target: str, grades: int = 2, n: int = 4, items: int = 8) -> dict[str, Any]:
    """Queries of items with graded relevance, one relevant item at least in each query."""

    def make(rng: np.random.Generator) -> Inputs:
        relevance = rng.integers(grades, size=(n, items))
        relevance[:, 0], relevance[:, 1] = grades - 1, 0
        return {score: rng.normal(size=(n, items)), target: rng.permuted(relevance, axis=1)}

    return {
        "scores": (score,),
        "make": make,
        "ideal": lambda inputs: {score: inputs[target].astype(float)},
        "rows": (score, target),
    }


def pictured(score: str, target: str, classes: int, n: int = 2, side: int = 4) -> dict[str, Any]:
    """Images of class scores (classes > 1) or of probabilities (1) with integer labels."""

    def make(rng: np.random.Generator) -> Inputs:
        labels = rng.integers(max(classes, 2), size=(n, side, side))
        scores = rng.random((n, side, side)) if classes == 1 else rng.normal(size=(n, classes, side, side))
        return {score: scores, target: labels}

    def ideal(inputs: Inputs) -> Inputs:
        labels = inputs[target]
        return {score: 0.1 + 0.8 * labels if classes == 1 else one_hot(labels, classes, axis=1)}

    return {"scores": (score,), "make": make, "ideal": ideal, "rows": (score, target)}


def case(name: str, function: str, family: dict[str, Any], **facts: Any) -> Case:
    """One row of the table, with the commonest facts left out."""
    common = {"library": "numpy", "direction": "maximize"}
    return Case(name=name, function=function, **(common | family | facts))


# Batches of one metric only.


def pose_maps(rng: np.random.Generator) -> Inputs:
    """Noise against maps with one true peak each."""
    n, joints, side = 3, 3, 6
    target = np.zeros((n, joints, side, side))
    x, y = rng.integers(2, side, size=(2, n, joints))
    target[np.arange(n)[:, None], np.arange(joints)[None], y, x] = 1.0
    return {"output": rng.normal(size=target.shape), "target": target}


POSE: dict[str, Any] = {
    "scores": ("output",),
    "make": pose_maps,
    "ideal": lambda inputs: {"output": inputs["target"] * 2.0 - 0.5},
    "rows": ("output", "target"),
}


def gallery(rng: np.random.Generator) -> Inputs:
    """Five queries, twelve gallery pictures, four persons, two cameras."""
    return {
        "distmat": rng.uniform(0.5, 2.0, size=(5, 12)),
        "q_ids": rng.integers(4, size=5),
        "g_ids": np.arange(12) % 4,
        "q_cams": np.zeros(5, dtype=np.int64),
        "g_cams": np.arange(12) // 4 % 2,
    }


GALLERY: dict[str, Any] = {
    "scores": ("distmat",),
    "make": gallery,
    "ideal": lambda inputs: {"distmat": (inputs["q_ids"][:, None] != inputs["g_ids"]).astype(float)},
    "rows": ("distmat", "q_ids", "q_cams"),
    "ties": lambda d: np.round(d * 2) / 2,
}

NEIGHBOURS: dict[str, Any] = {
    "scores": ("X",),
    "make": lambda rng: {"X": rng.normal(size=(9, 3)), "T": np.arange(9) % 3},
    "ideal": lambda inputs: {"X": np.eye(3)[inputs["T"]] * 5.0 + 0.01 * np.arange(9)[:, None]},
    # equal rows would make a point no nearer to itself than to its twin
    "ties": lambda x: np.round(x * 2) / 2 + np.eye(*x.shape),
}

CANDIDATES = [[11, 40, 2, 9, 5, 33], [7, 1, 8, 20, 21, 22], [4, 6, 12, 14, 16, 18], [30, 31, 32, 34, 35, 3]]
WANTED = [40, 7, 12, 3]

LEFT_OUT: dict[str, Any] = {
    "scores": ("predictions",),
    "make": lambda rng: {"predictions": rng.normal(size=(4, 6))},
    "ideal": lambda inputs: {
        "predictions": np.array([[float(c == w) for c in row] for row, w in zip(CANDIDATES, WANTED)])
    },
}

CLICKS: dict[str, Any] = {
    "scores": ("scores",),
    "make": lambda rng: {"scores": rng.normal(size=(5, 9)), "targets": rng.integers(1, 10, size=5)},
    "ideal": lambda inputs: {"scores": one_hot(inputs["targets"] - 1, 9)},
    "rows": ("scores", "targets"),
}

ONE_USER: dict[str, Any] = {
    "scores": ("ratings",),
    "make": lambda rng: {
        "ratings": rng.normal(size=12),
        "test_items": [0, 1, 3, 4, 5, 7, 8, 10],
        "positives": [int(i) for i in rng.choice([0, 1, 3, 4, 5, 7, 8, 10], size=3, replace=False)],
    },
    "ideal": lambda inputs: {"ratings": np.array([float(i in inputs["positives"]) for i in range(12)])},
}

SHOPPERS: dict[str, Any] = {
    "scores": ("rating",),
    "make": lambda rng: {
        "rating": rng.normal(size=(4, 8)),
        "test_data": [sorted(rng.choice(8, size=3, replace=False).tolist()) for _ in range(4)],
    },
    "ideal": lambda inputs: {"rating": np.array([[float(i in row) for i in range(8)] for row in inputs["test_data"]])},
    "rows": ("rating", "test_data"),
}

TRIPLES: dict[str, Any] = {
    "scores": ("score",),
    "make": lambda rng: {
        "score": rng.normal(size=(4, 7)),
        "positive_arg": np.array([0, 3, 6, 2]),
        "filter_bias": -1000.0 * ((rng.random((4, 7)) < 0.2) & (one_hot(np.array([0, 3, 6, 2]), 7) == 0)),
    },
    "ideal": lambda inputs: {"score": one_hot(inputs["positive_arg"], 7)},
    "rows": ("score", "positive_arg", "filter_bias"),
}

FACTS: dict[str, Any] = {
    "scores": ("pred",),
    "make": lambda rng: {
        "pred": rng.normal(size=(4, 7)),
        "obj": np.array([1, 5, 0, 2]),
        "known": (rng.random((4, 7)) < 0.2) | (one_hot(np.array([1, 5, 0, 2]), 7) == 1),
    },
    "ideal": lambda inputs: {"pred": one_hot(inputs["obj"], 7)},
    "rows": ("pred", "obj", "known"),
}

DIAGONAL: dict[str, Any] = {
    "scores": ("x",),
    "make": lambda rng: {"x": rng.normal(size=(6, 6))},
    "ideal": lambda inputs: {"x": np.eye(6)},
}


def captions(rng: np.random.Generator) -> Inputs:
    """Three images, five captions each."""
    return {"images": np.repeat(rng.normal(size=(3, 4)), 5, axis=0), "captions": rng.normal(size=(15, 4))}


CAPTIONS: dict[str, Any] = {
    "scores": ("images", "captions"),
    "make": captions,
    "ideal": lambda inputs: {name: np.repeat(np.eye(3, 4), 5, axis=0) for name in ("images", "captions")},
}

MULTILABEL: dict[str, Any] = {
    "scores": ("preds",),
    "make": lambda rng: {
        "preds": rng.random((10, 3)),
        "targs": rng.permuted(np.eye(2)[np.arange(10) % 2][:, [0, 1, 0]], axis=0),
    },
    "ideal": lambda inputs: {"preds": inputs["targs"] * 0.9},
}

FACES: dict[str, Any] = {
    "scores": ("dist",),
    "make": lambda rng: {"dist": rng.uniform(0.0, 2.0, size=14), "actual_issame": np.arange(14) % 3 == 0},
    "ideal": lambda inputs: {"dist": np.where(inputs["actual_issame"], 0.5, 1.5)},
    "rows": ("dist", "actual_issame"),
    "ties": lambda d: np.round(d * 2) / 2,
}

PATIENTS: dict[str, Any] = {
    "scores": ("Prediction",),
    "make": lambda rng: {
        "Prediction": rng.normal(size=10),
        "Time_survival": rng.integers(1, 8, size=10).astype(float),
        "Death": (rng.random(10) < 0.7).astype(np.int64),
        "Time": 5,
    },
    "ideal": lambda inputs: {"Prediction": -inputs["Time_survival"]},
}

DEPTHS: dict[str, Any] = {
    "scores": ("pred",),
    "make": lambda rng: {"gt": rng.uniform(1.0, 4.0, size=(2, 3, 3)), "pred": rng.uniform(1.0, 4.0, size=(2, 3, 3))},
    "ideal": lambda inputs: {"pred": inputs["gt"].copy()},
    "rows": ("gt", "pred"),
}


def boxes(rng: np.random.Generator) -> Inputs:
    """Boxes of two classes; a box right at the stricter level is right at the laxer one."""
    lax = rng.random(14) < 0.6
    return {
        "tp": np.stack([lax, lax & (rng.random(14) < 0.6)], axis=1).astype(float),
        "conf": rng.random(14),
        "pred_cls": np.arange(14) % 2,
        "target_cls": np.arange(12) % 2,
    }


BOXES: dict[str, Any] = {
    "scores": ("conf",),
    "make": boxes,
    "ideal": lambda inputs: {"conf": 0.1 + 0.4 * inputs["tp"].sum(axis=1)},
}


def spelled(rng: np.random.Generator) -> Inputs:
    return {"mats": rng.normal(size=(4, 5, 3)), "words": ["ab", "a", "bab", ""]}


def written(inputs: Inputs) -> Inputs:
    """One path that spells each word: blanks between its letters and after them."""
    paths = {"ab": [0, 1, 2, 2, 2], "a": [0, 0, 2, 2, 2], "bab": [1, 0, 1, 2, 2], "": [2, 2, 2, 2, 2]}
    return {"mats": np.stack([np.eye(3)[paths[word]] for word in inputs["words"]])}


WORDS: dict[str, Any] = {"scores": ("mats",), "make": spelled, "ideal": written, "rows": ("mats", "words")}


def padded(rng: np.random.Generator) -> Inputs:
    grades = rng.integers(4, size=(4, 7)).astype(np.float32)
    grades[:, 0] = 3.0
    grades[1:3, 5:] = -1.0
    return {"y_pred": rng.normal(size=(4, 7)).astype(np.float32), "y_true": grades, "ats": [2, 4]}


PADDED: dict[str, Any] = {
    "scores": ("y_pred",),
    "make": padded,
    "ideal": lambda inputs: {"y_pred": inputs["y_true"].copy()},
    "rows": ("y_pred", "y_true"),
}

TWENTY: dict[str, Any] = {
    **flat("y_pred", "y_true", n=30, kind="probability"),
    "make": lambda rng: {"y_true": rng.permutation(np.arange(30) % 3 == 0).astype(np.int64), "y_pred": rng.random(30)},
}

FIRST_COLUMN: dict[str, Any] = {
    "scores": ("scores",),
    "make": lambda rng: {"scores": rng.normal(size=(6, 7))},
    "ideal": lambda inputs: {"scores": one_hot(np.zeros(6, dtype=int), 7)},
    "rows": ("scores",),
}

BASKETS: dict[str, Any] = {
    "scores": ("scores",),
    "make": lambda rng: {
        "scores": rng.normal(size=(4, 8)),
        "actual": [sorted(rng.choice(8, size=k, replace=False).tolist()) for k in (1, 2, 3, 5)],
    },
    "ideal": lambda inputs: {"scores": np.array([[float(i in row) for i in range(8)] for row in inputs["actual"]])},
    "rows": ("scores", "actual"),
}

INTERACTIONS: dict[str, Any] = {
    **listed("scores", "interactions"),
    "ideal": lambda inputs: {"scores": inputs["interactions"] + 0.01 * np.arange(8)},
    "rows": (),  # squeezing the one row away leaves nothing to select from
}


GRADED: dict[str, Any] = {
    "scores": ("y_pred",),
    "make": lambda rng: {"y_true": rng.integers(5, size=12), "y_pred": rng.uniform(-0.5, 4.5, size=12)},
    "ideal": lambda inputs: {"y_pred": inputs["y_true"].astype(float)},
}

FOUR_GRADES: dict[str, Any] = {
    "scores": ("preds",),
    "make": lambda rng: {"target": rng.integers(4, size=10), "preds": rng.uniform(-0.5, 3.5, size=10)},
    "ideal": lambda inputs: {"preds": inputs["target"].astype(float)},
}


def _moved_boxes(rng: np.random.Generator) -> Inputs:
    corner = rng.random((5, 2))
    gt = np.concatenate([corner, corner + rng.uniform(0.4, 1.0, size=(5, 2))], axis=1)
    return {"gt_boxes": gt, "pred_boxes": gt + rng.normal(scale=0.25, size=(5, 4))}


MOVED_BOXES: dict[str, Any] = {
    "scores": ("pred_boxes",),
    "make": _moved_boxes,
    "ideal": lambda inputs: {"pred_boxes": inputs["gt_boxes"].copy()},
    "rows": ("pred_boxes", "gt_boxes"),
}

ONE_CHANNEL: dict[str, Any] = {
    "scores": ("outputs",),
    "make": lambda rng: {"outputs": rng.random((2, 1, 4, 4)), "masks": rng.integers(2, size=(2, 4, 4))},
    "ideal": lambda inputs: {"outputs": 0.1 + 0.8 * inputs["masks"][:, None]},
    "rows": ("outputs", "masks"),
}

RANKED_PAIR: dict[str, Any] = {
    "scores": ("y_pred",),
    "make": lambda rng: {"y_true": rng.normal(size=8), "y_pred": rng.normal(size=8)},
    "ideal": lambda inputs: {"y_pred": inputs["y_true"].copy()},
}

TWO_KINDS: dict[str, Any] = {
    "scores": ("target_scores", "impostor_scores"),
    "make": lambda rng: {"target_scores": rng.normal(size=8), "impostor_scores": rng.normal(size=10)},
    "ideal": lambda inputs: {"target_scores": np.ones(8), "impostor_scores": -np.ones(10)},
}

ANSWERS: dict[str, Any] = {
    "scores": ("scores",),
    "make": lambda rng: {
        "scores": rng.normal(size=(5, 7)),
        "target": np.array([1, 5, 0, 2, 2]),
        "other_answers": (rng.random((5, 7)) < 0.2) & (one_hot(np.array([1, 5, 0, 2, 2]), 7) == 0),
    },
    "ideal": lambda inputs: {"scores": one_hot(inputs["target"], 7)},
    "rows": ("scores", "target", "other_answers"),
}

RANKED: dict[str, Any] = {
    "scores": ("prediction",),
    "make": lambda rng: {"prediction": rng.normal(size=7), "truth": rng.permutation(7).astype(float)},
    "ideal": lambda inputs: {"prediction": inputs["truth"] * 1.0},
}

RISKS: dict[str, Any] = {
    "scores": ("risk",),
    "make": lambda rng: {
        "event_times": rng.permutation(9) + 1.0,
        "risk": rng.normal(size=9),
        "event_observed": rng.random(9) < 0.8,
    },
    "ideal": lambda inputs: {"risk": -inputs["event_times"]},
}


def campaign(rng: np.random.Generator) -> Inputs:
    return {
        "y": rng.integers(2, size=20),
        "uplift": rng.normal(size=20),
        "treatment": rng.permutation(np.arange(20) % 2),
    }


CAMPAIGN: dict[str, Any] = {
    "scores": ("uplift",),
    "make": campaign,
    # those who respond when treated or do not when not
    "ideal": lambda inputs: {"uplift": (inputs["y"] == inputs["treatment"]).astype(float)},
}

VISITS: dict[str, Any] = {
    "scores": ("preds",),
    "make": lambda rng: {
        "labels": np.array([1, 0, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0]),
        "preds": rng.random(12),
        "users": np.array([3, 3, 3, 3, 8, 8, 8, 8, 8, 5, 1, 1]),
    },
    "ideal": lambda inputs: {"preds": 0.1 + 0.8 * inputs["labels"]},
}

EMBEDDED: dict[str, Any] = {
    "scores": ("embeddings",),
    "make": lambda rng: {"embeddings": rng.normal(size=(8, 3)), "labels": np.arange(8) % 3},
    "ideal": lambda inputs: {"embeddings": np.eye(3)[inputs["labels"]] + 0.01 * np.arange(8)[:, None]},
    "ties": lambda x: np.round(x * 2) / 2 + 0.25,
}

HOUSES: dict[str, Any] = {
    "scores": ("y_pred",),
    "make": lambda rng: {"y_pred": rng.uniform(8.0, 12.0, size=10), "y_true": rng.uniform(8.0, 12.0, size=10)},
    "ideal": lambda inputs: {"y_pred": inputs["y_true"].copy()},
    "rows": ("y_pred", "y_true"),
}

FORECAST: dict[str, Any] = {
    "scores": ("forecast",),
    "make": lambda rng: {"forecast": rng.normal(size=9), "series": rng.normal(size=9)},
    "ideal": lambda inputs: {"forecast": inputs["series"].copy()},
}

SEARCHES: dict[str, Any] = {
    "scores": ("score_rows",),
    "make": lambda rng: {
        "score_rows": rng.normal(size=(4, 6)),
        "relevant_sets": [set(rng.choice(6, size=2, replace=False).tolist()) for _ in range(4)],
    },
    "ideal": lambda inputs: {
        "score_rows": np.array([[float(i in wanted) for i in range(6)] for wanted in inputs["relevant_sets"]])
    },
    "rows": ("score_rows", "relevant_sets"),
}

INTERVALS: dict[str, Any] = {
    "scores": ("lower", "upper"),
    "make": lambda rng: {"lower": rng.normal(size=10), "upper": rng.normal(size=10) + 1.0, "y": rng.normal(size=10)},
    # eight of ten are covered
    "ideal": lambda inputs: {"lower": inputs["y"] - 1.0, "upper": inputs["y"] + np.where(np.arange(10) < 8, 1.0, -1.0)},
}

PAIRED: dict[str, Any] = {
    "scores": ("similarity",),
    "make": lambda rng: {"similarity": rng.normal(size=(6, 6))},
    "ideal": lambda inputs: {"similarity": np.eye(6)},
}

DECILES: dict[str, Any] = {
    **flat("y_score", "y_true", n=20),
    "make": lambda rng: {"y_true": rng.permutation(np.arange(20) < 4).astype(np.int64), "y_score": rng.normal(size=20)},
    "ideal": lambda inputs: {"y_score": inputs["y_true"] + 0.01 * np.arange(20)},
}

SESSIONS: dict[str, Any] = {
    "scores": ("scores",),
    "make": lambda rng: {"scores": rng.normal(size=(6, 8)), "wanted": rng.integers(8, size=6)},
    "ideal": lambda inputs: {"scores": one_hot(inputs["wanted"], 8)},
    "rows": ("scores", "wanted"),
}


MANY_LABELS: dict[str, Any] = {
    "scores": ("probabilities",),
    "make": lambda rng: {
        "targets": rng.permuted((np.arange(8)[:, None] % 2 == 0) & (np.arange(3) < 2), axis=0).astype(np.int64),
        "probabilities": rng.random((8, 3)),
    },
    "ideal": lambda inputs: {"probabilities": 0.1 + 0.8 * inputs["targets"]},
}

POSITIVE_NEGATIVE: dict[str, Any] = {
    "scores": ("pos_scores", "neg_scores"),
    "make": lambda rng: {"pos_scores": rng.normal(size=5), "neg_scores": rng.normal(size=7)},
    "ideal": lambda inputs: {"pos_scores": np.ones(5), "neg_scores": -np.ones(7)},
}

OVERLAPPING: dict[str, Any] = {
    "scores": ("confidence",),
    "make": lambda rng: {
        "confidence": rng.random(8),
        "overlaps": rng.permutation(np.vstack([np.eye(3) * 0.8, np.eye(3) * 0.6, np.full((2, 3), 0.2)])),
    },
    "ideal": lambda inputs: {"confidence": inputs["overlaps"].max(axis=1)},
}

REFERENCES = [[1, 2], [3], [2, 2, 1]]

SENTENCES: dict[str, Any] = {
    "scores": ("logits",),
    "make": lambda rng: {"logits": rng.normal(size=(3, 4, 4)), "references": REFERENCES},
    "ideal": lambda inputs: {"logits": np.eye(4)[[(row + [0] * 4)[:4] for row in REFERENCES]]},
    "rows": ("logits", "references"),
}

RATINGS: dict[str, Any] = {
    "scores": ("predictions",),
    "make": lambda rng: {"predictions": rng.uniform(0.5, 5.5, size=10), "ratings": rng.integers(1, 6, size=10)},
    "ideal": lambda inputs: {"predictions": inputs["ratings"].astype(float)},
    "rows": ("predictions", "ratings"),
}


def tagged(score: str, target: str, kind: str = "real", n: int = 5, labels: int = 5) -> dict[str, Any]:
    """Samples with several 0/1 labels each, at least one of each kind."""
    family = listed(score, target, n=n, items=labels)
    make, low, high = family["make"], *((0.1, 0.9) if kind == "probability" else (-1.0, 1.0))

    def drawn(rng: np.random.Generator) -> Inputs:
        inputs = make(rng)
        return inputs | {score: 1 / (1 + np.exp(-inputs[score]))} if kind == "probability" else inputs  # type: ignore[no-any-return]

    return family | {"make": drawn, "ideal": lambda inputs: {score: np.where(inputs[target] == 1, high, low)}}


def headed(score: str, target: str) -> dict[str, Any]:
    """A binary head: one column of logits."""
    family = flat(score, target, n=12)
    make, ideal = family["make"], family["ideal"]

    def column(inputs: Inputs) -> Inputs:
        return inputs | {score: inputs[score][:, None]}

    return family | {"make": lambda rng: column(make(rng)), "ideal": lambda inputs: column(ideal(inputs))}


JUDGED = {
    f"q{q}": {f"d{d}": grade for d, grade in enumerate(row)} for q, row in enumerate([[0, 2, 0, 1], [1, 0, 0, 0]])
}


def run_of(draw: Callable[[str, str], float]) -> dict[str, dict[str, float]]:
    return {q: {d: draw(q, d) for d in documents} for q, documents in JUDGED.items()}


RUN: dict[str, Any] = {
    "scores": ("run",),
    "make": lambda rng: {"run": run_of(lambda q, d: float(rng.normal())), "qrels": JUDGED},
    "ideal": lambda inputs: {"run": run_of(lambda q, d: float(JUDGED[q][d]))},
}

DOCUMENTS: dict[str, Any] = {
    "scores": ("scores",),
    "make": lambda rng: {"scores": {f"d{d}": float(rng.normal()) for d in range(6)}, "relevant": ["d1", "d4"]},
    "ideal": lambda inputs: {"scores": {d: float(d in inputs["relevant"]) for d in inputs["scores"]}},
}

USERS: dict[str, Any] = {
    "scores": ("predictions",),
    "make": lambda rng: {
        "predictions": {name: float(rng.random()) for name in "abcde"},
        "labels": {"a": 1, "b": 0, "c": 1, "d": 0, "e": 0},
    },
    "ideal": lambda inputs: {"predictions": {name: 0.1 + 0.8 * label for name, label in inputs["labels"].items()}},
}

LIKED = [[1, 2], [0], [3, 4, 5], [6]]


def liking(score: str, target: str, convert: Callable[[list[int]], Any] = list) -> dict[str, Any]:
    """Rows of scores with lists of wanted items, of different lengths."""
    return {
        "scores": (score,),
        "make": lambda rng: {score: rng.normal(size=(4, 7)), target: [convert(items) for items in LIKED]},
        "ideal": lambda inputs: {score: np.array([[float(i in items) for i in range(7)] for items in LIKED])},
    }


LISTED_JUDGED: dict[str, Any] = {
    **listed("scores", "relevance", items=6),
    "make": lambda rng: (
        listed("scores", "relevance", items=6)["make"](rng) | {"judged": np.arange(24).reshape(4, 6) % 5 > 0}
    ),
}

FLAT_USERS: dict[str, Any] = {
    "scores": ("scores",),
    "make": lambda rng: {"scores": rng.normal(size=11), "pos_len": [2, 1], "user_len": [5, 6]},
    "ideal": lambda inputs: {"scores": np.array([1.0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0]) + 0.01 * np.arange(11)},
}

ONSETS: dict[str, Any] = {
    "scores": ("activation",),
    "make": lambda rng: {"activation": rng.random(14), "reference": [2, 6, 11]},
    "ideal": lambda inputs: {"activation": 0.1 + 0.8 * np.isin(np.arange(14), [2, 6, 11])},
}

LESIONS: dict[str, Any] = {
    "scores": ("scores",),
    "make": lambda rng: {"scores": rng.random(10), "hits": np.arange(10) % 3 // 2, "n_images": 4},
    "ideal": lambda inputs: {"scores": 0.1 + 0.8 * inputs["hits"]},
}

SHAPE = np.zeros((6, 6), dtype=np.int64)
SHAPE[1:4, 2:5] = 1

OUTLINE: dict[str, Any] = {
    "scores": ("prob",),
    "make": lambda rng: {"prob": rng.random((6, 6)), "gt": SHAPE},
    "ideal": lambda inputs: {"prob": 0.1 + 0.8 * SHAPE},
}

REGIONS = np.repeat(np.arange(3), 8).reshape(4, 6)
SEGMENTS: dict[str, Any] = {
    "scores": ("logits",),
    "make": lambda rng: {"logits": rng.normal(size=(3, 4, 6)) + 2 * one_hot(REGIONS, 3, axis=0), "gt_ids": REGIONS},
    "ideal": lambda inputs: {"logits": one_hot(inputs["gt_ids"], 3, axis=0)},
}

TOKENS = [[1, 2, 2], [3, 1], [2, 4, 2, 1]]
TOKEN_ROWS: dict[str, Any] = {
    "scores": ("logits",),
    "make": lambda rng: {"logits": rng.normal(size=(3, 4, 5)), "references": TOKENS},
    "ideal": lambda inputs: {"logits": np.eye(5)[[(row + [0] * 4)[:4] for row in TOKENS]]},
}

SPELLED: dict[str, Any] = {
    "scores": ("logits",),
    "make": lambda rng: {"logits": rng.normal(size=(3, 5, 4)), "texts": [[1, 2], [3], [2, 2, 1]]},
    "ideal": lambda inputs: {"logits": np.eye(4)[[[1, 2, 0, 0, 0], [3, 0, 0, 0, 0], [2, 0, 2, 1, 0]]]},
}

ANSWER_SPANS = [(0, 1), (2, 2), (1, 3)]
SPANS: dict[str, Any] = {
    "scores": ("start_logits", "end_logits"),
    "make": lambda rng: {
        "start_logits": rng.normal(size=(3, 5)),
        "end_logits": rng.normal(size=(3, 5)),
        "spans": ANSWER_SPANS,
    },
    "ideal": lambda inputs: {
        name: np.eye(5)[[span[k] for span in ANSWER_SPANS]] * 5 for k, name in enumerate(("start_logits", "end_logits"))
    },
}

WEATHER: dict[str, Any] = {
    "scores": ("forecast",),
    "make": lambda rng: {"forecast": rng.random(14), "observed": np.linspace(0.03, 0.97, 14)},
    "ideal": lambda inputs: {"forecast": inputs["observed"].copy()},
}

MARKET: dict[str, Any] = {
    "scores": ("signal",),
    "make": lambda rng: {"signal": rng.normal(size=12), "returns": np.sin(np.arange(12) * 2.0)},
    "ideal": lambda inputs: {"signal": inputs["returns"].copy()},
}

SURE: dict[str, Any] = {
    "scores": ("probs",),
    "make": lambda rng: {"probs": rng.dirichlet(np.ones(3), size=10), "labels": np.arange(10) % 3},
    "ideal": lambda inputs: {"probs": 0.01 + 0.97 * one_hot(inputs["labels"], 3)},
}


CASES: tuple[Case, ...] = (
    case("hrnet_pck", "pose_accuracy", POSE, returns=1, best=1.0),
    case("hrnet_cls_acc", "accuracy", labelled("output", "target"), library="torch", returns=0, best=100.0),
    case(
        "imagenet_accuracy",
        "top_accuracies",
        labelled("output", "target", classes=5),
        library="torch",
        returns=1,
        best=100.0,
    ),
    case("fcn_label_accuracy", "validate", pictured("scores", "labels", 3), returns=2, best=1.0),
    case("semseg_fast_hist", "mean_iou", pictured("outputs", "labels", 3), best=1.0),
    case("imgseg_get_F1", "f1", pictured("SR", "GT", 1), library="torch"),
    case("davis_iou", "mean_region_similarity", pictured("segmentation", "annotation", 1), best=1.0),
    case("surface_dice_coeff", "volume_dice", pictured("probabilities", "truth", 1), best=1.0),
    case("reid_eval_func", "evaluate_ranks", GALLERY, returns=1, best=1.0),
    case("proxynca_recall", "embedding_recall", NEIGHBOURS, library="torch", best=1.0),
    case(
        "ncf_evaluate",
        "evaluate",
        LEFT_OUT,
        returns=1,
        best=1.0,
    ),
    case("bert4rec_metrics", "metrics_for_ks", listed("scores", "labels"), library="torch", returns="NDCG@3", best=1.0),
    case("bert4rec_ndcg", "ndcg_at", listed("scores", "labels"), library="torch", best=1.0),
    case(
        "srgnn_eval",
        "session_scores",
        CLICKS,
        library="torch",
        returns=1,
        best=100.0,
    ),
    case(
        "ngcf_get_auc",
        "user_auc",
        ONE_USER,
        best=1.0,
    ),
    case("lightgcn_ndcg", "mean_ndcg", SHOPPERS, library="torch", best=1.0),
    case("lightfm_precision", "precision_at_k", INTERACTIONS),
    case("kge_test_step", "ranking_metrics", TRIPLES, library="torch", returns="MRR", best=1.0),
    case("compgcn_predict", "filtered_mrr", FACTS, library="torch", best=1.0),
    case(
        "clip4clip_metrics",
        "retrieval_metrics",
        DIAGONAL,
        returns="R1",
        best=100.0,
    ),
    case(
        "vsepp_i2t",
        "image_to_text",
        CAPTIONS,
        returns=lambda result: result[0],
        best=100.0,
    ),
    case("mlmetrics_auc", "auc", flat("posterior", "actual", n=14), best=1.0),
    case("asl_map", "mean_average_precision", MULTILABEL),
    case("voxceleb_eer", "tune_threshold", flat("scores", "labels"), direction="minimize", returns=1, best=0.0),
    case("facenet_accuracy", "verification_scores", FACES, returns=2, best=1.0),
    case("oe_fpr95", "fpr_at_recall", flat("y_score", "y_true"), direction="minimize", best=0.0),
    case(
        "ece_gpleiss",
        "calibration_error",
        labelled("logits", "labels"),
        library="torch",
        direction="minimize",
        pure=False,
    ),
    case("deephit_cindex", "concordance", PATIENTS, best=1.0),
    case("monodepth_errors", "depth_errors", DEPTHS, library="torch", returns=4, best=1.0),
    case("yolov5_ap", "ap_by_class", BOXES, returns=2),
    case(
        "ctc_best_path",
        "word_accuracy",
        WORDS,
        best=1.0,
        told=True,  # several choices have to change at once before a word is right: the search finds no way
    ),
    case("allrank_dcg_src", "graded_ndcg", PADDED, library="torch", best=1.0),
    case("kaggle_amex", "default_score", TWENTY, best=1.0),
    case("kaggle_gini", "gini_normalized", flat("p", "a"), best=1.0),
    case(
        "kaggle_threshold_search",
        "threshold_search",
        flat("y_proba", "y_true", n=6, kind="probability"),  # sklearn is slow: four calls a configuration
        returns="f1",
        best=1.0,
    ),
    case("rec_hr_ndcg", "hr_ndcg", FIRST_COLUMN, returns=1, best=1.0),
    case("apk_kaggle", "mapk", BASKETS, best=1.0),
    # not modelled on one project each
    case("class_update_compute", "macro_recall", labelled("preds", "target", n=12), library="torch", best=1.0),
    case("module_hits", "evaluate", labelled("logits", "answer", classes=5), library="torch", best=1.0),
    case("keras_style_f1", "f1_m", flat("y_pred", "y_true", kind="probability")),
    case("map_at_3", "map_at_3", labelled("probs", "labels", classes=5), best=1.0),
    case("kappa_thresholds", "regressor_kappa", GRADED, best=1.0),
    case("gini_sorted_pairs", "normalized_gini", flat("pred", "actual"), best=1.0),
    case("lwlrap", "lwlrap", tagged("scores", "truth"), best=1.0),
    case("mean_f1_per_sample", "mean_f1", tagged("y_prob", "y_true", "probability"), best=1.0),
    case("dcg_take", "mean_ndcg", listed("scores", "relevance", grades=4), best=1.0),
    case("eer_cumsum", "equal_error_rate", TWO_KINDS, direction="minimize", best=0.0),
    case("tpr_at_fpr", "tpr_at_fpr", flat("scores", "labels"), library="torch", best=1.0),
    case("filtered_hits", "filtered_hits_at_k", ANSWERS, library="torch", best=1.0),
    case("kendall_loop", "kendall_tau", RANKED, best=1.0),
    case("cindex_loops", "concordance_index", RISKS, best=1.0),
    case("dice_per_class", "dice_per_class", pictured("logits", "masks", 3), library="torch", best=1.0),
    case("topk_error", "top_k_error", labelled("y_score", "y_true", classes=5), direction="minimize", best=0.0),
    case(
        "ece_digitize",
        "ece",
        flat("y_prob", "y_true", kind="probability"),
        direction="minimize",
        pure=False,
    ),
    case("partial_auc", "partial_auc", flat("y_score", "y_true"), best=1.0),
    case("uplift_at_k", "uplift_at_k", CAMPAIGN),
    case("break_even", "break_even_point", flat("preds", "target"), library="torch", best=1.0),
    case("mcc", "mcc", flat("y_proba", "y_true", kind="probability"), best=1.0),
    case("g_mean", "g_mean", labelled("logits", "y_true"), best=1.0),
    case("youden", "youden_j", flat("y_hat", "y"), library="torch", best=1.0),
    case("brier_rounded", "published_brier", flat("probs", "outcomes", kind="probability"), direction="minimize"),
    case("f1_average_modes", "weighted_f1", labelled("y_pred", "y_true"), best=1.0),
    case("grouped_auc", "gauc", VISITS, best=1.0),
    case("map_at_r", "map_at_r", EMBEDDED, library="torch", best=1.0),
    case("within_tolerance", "accuracy_within", HOUSES, best=1.0),
    case("directional_accuracy", "directional_accuracy", FORECAST, best=1.0),
    case("sorted_range_mrr", "mean_reciprocal_rank", SEARCHES, best=1.0),
    case("interval_coverage", "coverage_gap", INTERVALS, direction="minimize", best=0.0),
    case("iou_rint", "mean_iou", pictured("y_pred", "y_true", 1), best=1.0),
    case("spearman_double_argsort", "spearman", RANKED_PAIR, best=1.0),
    case("subset_accuracy", "exact_match_ratio", tagged("logits", "targets", n=8, labels=2), library="torch", best=1.0),
    case("median_rank", "median_rank", PAIRED, library="torch", direction="minimize", best=1.0),
    case("ranking_loss", "ranking_loss", tagged("outputs", "test_target"), direction="minimize", best=0.0),
    case("lift_at_decile", "lift", DECILES, best=5.0),
    case("coverage_error", "coverage", tagged("preds", "target"), library="torch", direction="minimize"),
    case("best_threshold_f1", "best_f1", flat("probabilities", "labels"), best=1.0),
    case("weighted_accuracy_logits", "balanced_binary_accuracy", headed("output", "label"), library="torch", best=1.0),
    case("hit_rate_counting", "evaluate_sessions", SESSIONS, returns=1, best=1.0),
    case("rankdata_auc", "mann_whitney_auc", flat("y_score", "y_true", n=14), best=1.0),
    case("multilabel_sklearn_auc", "mean_auc", MANY_LABELS, best=1.0),
    case("dict_of_dicts_mrr", "run_mrr", listed("scores", "relevance"), best=1.0),
    case("tie_walk_auc", "auc_with_ties", flat("y_pred", "y", n=12), best=1.0),
    case("closure_factory", "recall_at_3", listed("scores", "relevance"), best=1.0),
    case("nlargest_enumerate", "precision_at_k", listed("predictions", "targets")),
    case("lexsort_ap", "pessimistic_ap", flat("y_score", "y_true", n=12), best=1.0),
    case("searchsorted_auc", "auc", POSITIVE_NEGATIVE, best=1.0),
    case("max_over_own_thresholds", "best_accuracy", flat("scores", "labels", n=8), best=1.0),
    case("greedy_detection_ap", "box_ap", OVERLAPPING, best=1.0),
    case(
        "token_error_rate",
        "token_error_rate",
        SENTENCES,
        library="torch",
        direction="minimize",
        best=0.0,
    ),
    case("bisected_eer", "bisected_eer", flat("scores", "labels"), direction="minimize", best=0.0),
    case("ranked_threshold_precision", "precision_at_recall", flat("probs", "labels"), library="torch", best=1.0),
    case("pixel_confusion_scatter", "class_accuracy", pictured("logits", "labels", 3), best=1.0),
    case("rounded_ratings", "exact_ratings", RATINGS, best=1.0),
    case("trec_mrr", "run_mrr", RUN, best=1.0),
    case("qrels_ndcg", "run_ndcg", RUN, best=1.0),
    case("document_recall", "single_run_recall", DOCUMENTS, best=1.0),
    case("user_accuracy", "dict_accuracy", USERS, best=1.0, ties=lambda p: round(p * 4) / 4),
    case("bpref", "bpref", LISTED_JUDGED),
    case("r_precision", "r_precision", listed("scores", "relevance"), best=1.0),
    case("partition_then_sort", "ndcg", liking("scores", "liked"), best=1.0),
    case("rankdata_mrr", "spotlight_mrr", liking("predictions", "test_items", np.array)),
    case("flat_gauc", "recbole_gauc", FLAT_USERS, best=1.0),
    case("onset_fmeasure", "onset_fmeasure", ONSETS, best=1.0),
    case("froc", "froc", LESIONS, best=1.0),
    case("boundary_f1", "boundary_f1", OUTLINE, best=1.0),
    case("panoptic_quality", "panoptic_quality", SEGMENTS, best=1.0),
    case("hungarian_accuracy", "hungarian_accuracy", labelled("logits", "labels", classes=3), best=1.0),
    case("token_f1", "token_f1", TOKEN_ROWS, best=1.0),
    case("ctc_error_rate", "wer_ctc", SPELLED, direction="minimize", best=0.0),
    case("span_exact_match", "span_exact_match", SPANS, best=1.0),
    case("heidke_skill", "heidke", WEATHER, best=1.0),
    case("strategy_sharpe", "strategy_sharpe", MARKET),
    case("adaptive_ece", "adaptive_ece", SURE, direction="minimize", pure=False),
    case("gini_columns", "gini", flat("pred", "actual", n=12)),
    case("best_accuracy_cut", "otsu_like", flat("scores", "labels", n=8), best=1.0),
    case("binarised_in_place", "hamming_accuracy", flat("y_pred", "y_true", kind="probability"), best=1.0),
    case("optimised_rounder", "rounded_kappa", FOUR_GRADES, best=1.0),
    case("box_hits", "share_found", MOVED_BOXES, best=1.0),
    case("masked_in_place", "foreground_iou", ONE_CHANNEL, library="torch", best=1.0),
    case("returned_array", "counts", flat("probs", "labels", kind="probability"), returns=0),
    case("sampled_auc", "sampled_auc", flat("scores", "labels"), refused="M2L508"),
)

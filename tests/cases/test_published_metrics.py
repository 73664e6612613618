"""Published metric functions, unmodified: exact on three batches, SWAP, gradients; skipped where the package is missing."""

from __future__ import annotations

import functools
import importlib
import inspect
import warnings

import numpy as np
import pytest
import torch

from metric2loss import compile_metric

N, CLASSES = 24, 4


def pairs(seed, library, probabilities=True):
    draw = np.random.default_rng(seed)
    scores, labels = draw.permutation(N) / N * 0.9 + 0.05, (draw.random(N) < 0.4).astype(int)
    labels[:2] = 0, 1
    scores = scores if probabilities else np.log(scores / (1 - scores))
    return (torch.tensor(scores), torch.tensor(labels)) if library == "torch" else (scores, labels)


def classes(seed, library):
    draw = np.random.default_rng(seed)
    scores, labels = draw.standard_normal((N, CLASSES)), draw.integers(0, CLASSES, N)
    labels[:CLASSES] = range(CLASSES)
    return (torch.tensor(scores), torch.tensor(labels)) if library == "torch" else (scores, labels)


def multilabel(seed, library):
    draw = np.random.default_rng(seed)
    scores, labels = (
        draw.permutation(N * CLASSES).reshape(N, CLASSES) / (N * CLASSES),
        draw.integers(0, 2, (N, CLASSES)),
    )
    labels[:, 0], labels[:, 1] = 0, 1
    return (torch.tensor(scores), torch.tensor(labels)) if library == "torch" else (scores, labels)


# function, score parameter, target parameter, batch, library, direction, further arguments
METRICS = (
    ("sklearn.metrics:roc_auc_score", "y_score", "y_true", pairs, "numpy", "maximize", {}),
    ("sklearn.metrics:average_precision_score", "y_score", "y_true", pairs, "numpy", "maximize", {}),
    ("sklearn.metrics:det_curve", "y_score", "y_true", pairs, "numpy", "minimize", {"_returns": 0}),
    ("sklearn.metrics:ndcg_score", "y_score", "y_true", multilabel, "numpy", "maximize", {"k": 3}),
    ("sklearn.metrics:coverage_error", "y_score", "y_true", multilabel, "numpy", "minimize", {}),
    ("sklearn.metrics:label_ranking_average_precision_score", "y_score", "y_true", multilabel, "numpy", "maximize", {}),
    ("sklearn.metrics:top_k_accuracy_score", "y_score", "y_true", classes, "numpy", "maximize", {"k": 2}),
    ("scipy.stats:kendalltau", "x", "y", pairs, "numpy", "maximize", {"_returns": 0}),
    ("scipy.stats:somersd", "x", "y", pairs, "numpy", "maximize", {"_returns": lambda found: found.statistic}),
    ("torchmetrics.functional.classification:binary_average_precision", "preds", "target", pairs, "torch", "maximize", {}),
    ("torchmetrics.functional.classification:binary_jaccard_index", "preds", "target", pairs, "torch", "maximize", {}),
    ("torchmetrics.functional.classification:multiclass_matthews_corrcoef", "preds", "target", classes, "torch", "maximize", {"num_classes": CLASSES}),
    ("torchmetrics.functional.classification:multilabel_ranking_loss", "preds", "target", multilabel, "torch", "minimize", {"num_labels": CLASSES}),
    ("torchmetrics.functional.retrieval:retrieval_normalized_dcg", "preds", "target", pairs, "torch", "maximize", {"top_k": 5}),
    ("torchmetrics.functional:kendall_rank_corrcoef", "preds", "target", pairs, "torch", "maximize", {"_float": True}),
    ("torcheval.metrics.functional:multiclass_f1_score", "input", "target", classes, "torch", "maximize", {}),
    ("torcheval.metrics.functional:binary_auprc", "input", "target", pairs, "torch", "maximize", {}),
    ("torcheval.metrics.functional:reciprocal_rank", "input", "target", classes, "torch", "maximize", {}),
)  # fmt: skip


def value(function, picked, given):
    result = function(**{name: x.clone() if isinstance(x, torch.Tensor) else np.copy(x) for name, x in given.items()})
    result = picked(result) if callable(picked) else result if picked is None else result[picked]
    return float(torch.as_tensor(np.asarray(result)).double().mean())


def prepared(case):
    name, score, target, batch, library, direction, options = case
    module, _, path = name.partition(":")
    pytest.importorskip(module.partition(".")[0])
    function = getattr(importlib.import_module(module), path)
    options = dict(options)
    picked, real = options.pop("_returns", None), options.pop("_float", False)
    fixed = functools.partial(function, **options) if options else function

    def given(seed):
        scores, labels = batch(seed, library)
        return {score: scores, target: labels.double() if real else labels}

    return fixed, score, direction, picked, given


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", METRICS, ids=lambda case: case[0].partition(":")[2])
def test_a_published_metric_is_exact_and_trains(case):
    function, score, direction, picked, given = prepared(case)
    assert score in inspect.signature(function).parameters
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        loss = compile_metric(function, scores=score, direction=direction, returns=picked, example=given(0))
        criterion = loss()
        for seed in range(3):
            batch = given(seed)
            leaf = torch.as_tensor(batch[score]).clone().requires_grad_()
            criterion(**{**batch, score: leaf}).backward()
            assert float(criterion.metric) == pytest.approx(value(function, picked, batch), rel=1e-5, abs=1e-6)
            assert torch.isfinite(leaf.grad).all()
        here = given(0)
        for seed in range(3):
            flat = np.asarray(here[score]).reshape(-1)
            moved = np.random.default_rng(seed).permutation(flat).reshape(here[score].shape)
            there = {**here, score: torch.tensor(moved) if isinstance(here[score], torch.Tensor) else moved}
            configuration = criterion.record(**there)
            replayed = float(criterion.replay(configuration.with_flat(configuration.flat), **here))
            assert replayed == pytest.approx(value(function, picked, there), rel=1e-5, abs=1e-6)

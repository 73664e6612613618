"""The tasks of `bench.learning`: nine on which the engine was developed, eleven and ten more that were fixed before any was run."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from bench.core.losses import load, metric_file
from bench.core.task import Task, steady
from bench.handmade import costs, cross_entropy, heatmaps, ranking, relevant, segmentation, sigmoid_f, smooth_ap
from bench.networks.small import OneMap, convolutions, linear, perceptron
from bench.tasks import _small as small
from bench.tasks._fresh import FRESH


def squared_error(scores: Tensor, targets: Tensor) -> Tensor:
    return functional.mse_loss(scores, targets.to(scores.dtype))


def huber(scores: Tensor, targets: Tensor) -> Tensor:
    return functional.smooth_l1_loss(scores, targets.to(scores.dtype))


def cost_matrix() -> Tensor:
    """The one of the metric's own file."""
    return torch.from_numpy(load(metric_file("expected_cost")).COST)


CE = {"ce": steady(cross_entropy.cross_entropy)}
WEIGHTED_CE = {**CE, "weighted-ce": steady(costs.weighted_cross_entropy)}
ROBUST_CE = {**CE, "gce": steady(costs.generalized_cross_entropy)}
BCE = {"bce": steady(cross_entropy.binary_cross_entropy)}
PAIRWISE = {"pairwise": steady(ranking.pairwise_logistic)}
AP = {**BCE, "smooth-ap": steady(partial(smooth_ap.smooth_ap, temperature=0.1)), **PAIRWISE}
GRADED = {"lambdarank": steady(ranking.lambdarank), "listwise": steady(ranking.listwise_cross_entropy), **PAIRWISE}
ITEMS = {"softmax-ce": steady(relevant.softmax_cross_entropy), **PAIRWISE}

DEVELOPMENT: tuple[Task, ...] = (
    Task(
        key="accuracy-linear-noise",
        title="accuracy, ten digits, linear, 30 % wrong labels",
        metric="accuracy",
        function="accuracy",
        handmade=ROBUST_CE,
        split=partial(small.ten_digits, noise=0.3),
        network=partial(linear, 64, 10),
        epochs=9,
        batch_size=40,
        development=True,
    ),
    Task(
        key="accuracy-mlp",
        title="accuracy, ten digits, MLP",
        metric="accuracy",
        function="accuracy",
        handmade=CE,
        split=small.ten_digits,
        network=partial(perceptron, 64, 10, hidden=64),
        epochs=9,
        batch_size=40,
        development=True,
    ),
    Task(
        key="ap-digit8",
        title="average precision, digit 8, MLP",
        metric="average_precision",
        function="average_precision",
        handmade=AP,
        split=small.digit_8,
        network=partial(perceptron, 64, hidden=64),
        epochs=9,
        batch_size=50,
        development=True,
    ),
    Task(
        key="ap-digit8-noise",
        title="average precision, digit 8, MLP, 10 % wrong labels",
        metric="average_precision",
        function="average_precision",
        handmade=AP,
        split=partial(small.digit_8, noise=0.1),
        network=partial(perceptron, 64, hidden=64),
        epochs=9,
        batch_size=50,
        development=True,
    ),
    Task(
        key="ap-linear",
        title="average precision, generated, linear, well-specified",
        metric="average_precision",
        function="average_precision",
        handmade=AP,
        split=small.logistic,
        network=partial(linear, 20),
        epochs=9,
        batch_size=50,
        development=True,
    ),
    Task(
        key="pck-markers",
        title="PCKh, a marker in generated images",
        metric="pckh",
        function="pckh",
        handmade={"region-ce": steady(heatmaps.region_cross_entropy), "mse": steady(heatmaps.bump_error)},
        split=small.markers,
        network=partial(convolutions, 1),
        epochs=10,
        batch_size=16,
        development=True,
    ),
    Task(
        key="f1-linear",
        title="F1, generated, linear, misspecified",
        metric="f1_torch",
        function="f1",
        handmade={"sigmoid-f1": steady(sigmoid_f.sigmoid_f), **BCE},
        split=small.curved,
        network=partial(linear, 8),
        epochs=9,
        batch_size=50,
        library="torch",
        development=True,
    ),
    Task(
        key="ndcg-mlp",
        title="NDCG@10, generated, MLP",
        metric="ndcg",
        function="ndcg_at_k",
        handmade=GRADED,
        split=small.graded_documents,
        network=partial(perceptron, 8),
        epochs=5,
        batch_size=6,
        development=True,
    ),
    Task(
        key="ndcg-linear",
        title="NDCG@10, generated, linear, misspecified",
        metric="ndcg",
        function="ndcg_at_k",
        handmade=GRADED,
        split=small.graded_documents,
        network=partial(linear, 8),
        epochs=5,
        batch_size=6,
        development=True,
    ),
)

HELD_OUT: tuple[Task, ...] = (
    Task(
        key="balanced-accuracy",
        title="balanced accuracy, rare malignant tumours, linear",
        metric="balanced_accuracy",
        function="balanced_accuracy",
        handmade=WEIGHTED_CE,
        split=small.rare_tumours,
        network=partial(linear, 10, 2),
        epochs=20,
        batch_size=30,
    ),
    Task(
        key="macro-f1",
        title="macro F1, five digits, two of them rare, linear",
        metric="macro_f1",
        function="macro_f1",
        handmade=WEIGHTED_CE,
        split=small.rare_digits,
        network=partial(linear, 64, 5),
        epochs=20,
        batch_size=40,
    ),
    Task(
        key="f2-diabetes",
        title="F2, diabetes that progresses fast, linear",
        metric="f_beta",
        function="f_beta",
        handmade={
            "weighted-bce": steady(cross_entropy.weighted_binary_cross_entropy),
            "sigmoid-f2": steady(partial(sigmoid_f.sigmoid_f, beta=2.0)),
            **BCE,
        },
        split=small.bad_progress,
        network=partial(linear, 10),
        epochs=20,
        batch_size=40,
    ),
    Task(
        key="auc-noise",
        title="ROC AUC, tumours, linear, 20 % wrong labels",
        metric="roc_auc",
        function="roc_auc",
        handmade={**BCE, **PAIRWISE},
        split=small.mislabelled_tumours,
        network=partial(linear, 30),
        epochs=20,
        batch_size=40,
        arguments=("y_score", "y_true"),
    ),
    Task(
        key="kappa",
        title="quadratic kappa, five grades of diabetes, linear regression",
        metric="qwk",
        function="quadratic_weighted_kappa",
        handmade={"mse": steady(squared_error), "huber": steady(huber)},
        split=small.graded_progress,
        network=partial(linear, 10, start=2.0),
        epochs=20,
        batch_size=40,
        arguments=("y_pred", "y_true"),
    ),
    Task(
        key="spearman",
        title="rank correlation, progression of diabetes, linear regression",
        metric="spearman",
        function="spearman",
        handmade={"mse": steady(squared_error), **PAIRWISE},
        split=small.progress,
        network=partial(linear, 10),
        epochs=20,
        batch_size=40,
    ),
    Task(
        key="expected-cost",
        title="expected cost (lower is better), three overlapping classes, linear",
        metric="expected_cost",
        function="expected_cost",
        handmade={"soft-cost": lambda _: partial(costs.soft_cost, cost=cost_matrix()), **WEIGHTED_CE},
        split=small.overlapping,
        network=partial(linear, 6, 3),
        epochs=10,
        batch_size=40,
        maximize=False,
    ),
    Task(
        key="recall-items",
        title="recall@3, sixteen items a user, linear",
        metric="recall_at_k",
        function="recall_at_k",
        handmade={**ITEMS, "bce": steady(relevant.itemwise_cross_entropy)},
        split=small.tastes,
        network=partial(linear, 12, 16),
        epochs=10,
        batch_size=20,
    ),
    Task(
        key="mrr-noise",
        title="mean reciprocal rank, one answer in ten, MLP, 25 % wrong answers",
        metric="mrr",
        function="mean_reciprocal_rank",
        handmade=ITEMS,
        split=small.one_answer,
        network=partial(perceptron, 8),
        epochs=4,
        batch_size=8,
    ),
    Task(
        key="mean-iou",
        title="mean IoU, discs and rare squares in noise, convolutions",
        metric="mean_iou",
        function="mean_iou",
        handmade={"ce": steady(segmentation.pixel_cross_entropy), "soft-iou": steady(segmentation.soft_iou)},
        split=small.shapes,
        network=partial(convolutions, 3),
        epochs=6,
        batch_size=6,
    ),
    Task(
        key="dice",
        title="Dice, discs in noise, convolutions",
        metric="dice_torch",
        function="dice",
        handmade={"soft-dice": steady(segmentation.soft_dice), "bce": steady(segmentation.pixel_cross_entropy)},
        split=small.faint_discs,
        network=OneMap,
        epochs=8,
        batch_size=6,
        library="torch",
    ),
)

TASKS = DEVELOPMENT + HELD_OUT + FRESH

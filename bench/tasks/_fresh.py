"""Ten learning tasks that no change of the engine was ever tried on: fixed, with their losses, before any loss of ours was run on one.

The commit that adds this file is older than every run under bench/runs/learning/fresh-*, and nothing here was changed after a result.
"""

from __future__ import annotations

from functools import partial

from bench.core.task import Task, steady
from bench.handmade import (
    cross_entropy,
    jaccard,
    multilabel,
    quantile,
    ranking,
    rejection,
    relevant,
    segmentation,
    soft_mcc,
    survival,
    topk,
    worst_group,
)
from bench.networks.small import OneMap, linear, perceptron
from bench.tasks import _fresh_data as data

BCE = {"bce": steady(cross_entropy.binary_cross_entropy)}
WEIGHTED_BCE = {**BCE, "weighted-bce": steady(cross_entropy.weighted_binary_cross_entropy)}
PAIRWISE = {"pairwise": steady(ranking.pairwise_logistic)}
LABELWISE = {"bce": steady(relevant.itemwise_cross_entropy), "asymmetric": steady(multilabel.asymmetric)}

FRESH: tuple[Task, ...] = (
    Task(
        key="fresh-hit-rate",
        title="hit rate@5, next of forty items, linear",
        metric="hit_rate",
        function="hit_rate",
        handmade={
            "ce": steady(cross_entropy.cross_entropy),
            "topk-entropy": steady(partial(topk.truncated_entropy, k=5)),
        },
        split=data.next_item,
        network=partial(linear, 12, 40),
        epochs=8,
        batch_size=40,
        fresh=True,
        library="torch",
    ),
    Task(
        key="fresh-lrap",
        title="label ranking average precision, ten topics of documents, MLP",
        metric="lrap",
        function="lrap",
        handmade={
            "rowwise": steady(multilabel.rowwise_logistic),
            "softmax-ce": steady(relevant.softmax_cross_entropy),
            **LABELWISE,
        },
        split=data.topics,
        network=partial(perceptron, 30, 10),
        epochs=8,
        batch_size=25,
        fresh=True,
        arguments=("y_score", "y_true"),
    ),
    Task(
        key="fresh-subset-accuracy",
        title="subset accuracy, four attributes of digits, linear",
        metric="subset_accuracy",
        function="subset_accuracy",
        handmade=LABELWISE,
        split=data.attributes,
        network=partial(linear, 64, 4),
        epochs=12,
        batch_size=40,
        fresh=True,
    ),
    Task(
        key="fresh-mcc",
        title="Matthews correlation, rare positives in clusters, MLP",
        metric="mcc",
        function="matthews_corrcoef",
        handmade={"soft-mcc": steady(soft_mcc.soft_mcc), **WEIGHTED_BCE},
        split=data.rare_clusters,
        network=partial(perceptron, 10),
        epochs=12,
        batch_size=50,
        fresh=True,
        arguments=("y_score", "y_true"),
    ),
    Task(
        key="fresh-ks",
        title="Kolmogorov-Smirnov statistic, loans that default, MLP",
        metric="ks_statistic",
        function="ks_statistic",
        handmade={**WEIGHTED_BCE, **PAIRWISE},
        split=data.applicants,
        network=partial(perceptron, 8),
        epochs=12,
        batch_size=50,
        fresh=True,
    ),
    Task(
        key="fresh-fpr95",
        title="false positives at 95 % recall (lower is better), even digits, coarse, linear",
        metric="fpr_at_tpr",
        function="fpr_at_tpr",
        handmade={"quantile": steady(quantile.false_positives_at), **BCE, **PAIRWISE},
        split=data.even_digits,
        network=partial(linear, 16),
        epochs=12,
        batch_size=40,
        fresh=True,
        library="torch",
        maximize=False,
    ),
    Task(
        key="fresh-concordance",
        title="concordance index, censored lifetimes, linear",
        metric="concordance",
        function="concordance_index",
        handmade={"cox": steady(survival.cox), "concordance": steady(survival.concordance_logistic)},
        split=data.lifetimes,
        network=partial(linear, 8),
        epochs=12,
        batch_size=40,
        fresh=True,
        arguments=("risk_scores", "times", "observed"),
    ),
    Task(
        key="fresh-worst-group",
        title="accuracy of the worst group, digits with a frame that misleads, MLP",
        metric="worst_group",
        function="worst_group_accuracy",
        handmade={
            "group-dro": lambda _: worst_group.GroupDRO(4),
            "balanced-ce": steady(worst_group.balanced_cross_entropy),
            "ce": steady(worst_group.plain_cross_entropy),
        },
        split=data.marked_digits,
        network=partial(perceptron, 64, 2),
        epochs=10,
        batch_size=48,
        fresh=True,
    ),
    Task(
        key="fresh-abstention",
        title="cost of answers and questions (lower is better), ten blurred digits, linear",
        metric="abstention",
        function="abstention_cost",
        handmade={
            "gamblers": steady(rejection.gamblers),
            "deferring": steady(rejection.deferring),
            "soft-cost": steady(rejection.soft_price),
            "ce": steady(cross_entropy.cross_entropy),  # never asks
        },
        split=data.blurred_digits,
        network=partial(linear, 64, 11),
        epochs=10,
        batch_size=40,
        fresh=True,
        maximize=False,
    ),
    Task(
        key="fresh-jaccard",
        title="IoU of each image, thin rings in noise, convolutions",
        metric="jaccard_torch",
        function="jaccard",
        handmade={
            "lovasz": steady(jaccard.lovasz_hinge),
            "soft-jaccard": steady(jaccard.soft_jaccard),
            "bce": steady(segmentation.pixel_cross_entropy),
        },
        split=data.rings,
        network=OneMap,
        epochs=10,
        batch_size=6,
        fresh=True,
        library="torch",
    ),
)

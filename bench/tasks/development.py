"""The tasks on which the engine's defaults were set: a change is judged here before the tasks of `bench.learning` are run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn

from bench.core.task import Criterion, Factory, Split, Task, steady
from bench.handmade import costs, cross_entropy, groups, ranking, sigmoid_f, smooth_ap
from bench.networks.small import linear, perceptron
from bench.tasks import _development_data as data
from bench.tasks import _small as small


@dataclass(frozen=True)
class Measure:
    """A metric, its file and its function."""

    title: str
    file: str
    function: str
    maximize: bool = True
    library: str = "numpy"


@dataclass(frozen=True)
class Setting:
    """What is learned, by what network, for how long."""

    title: str
    split: Callable[[int, str], Split]
    network: Callable[[], nn.Module]
    epochs: int = 9
    batch_size: int = 50


def task(key: str, measure: Measure, setting: Setting, handmade: Mapping[str, Factory]) -> Task:
    lower = "" if measure.maximize else " (lower is better)"
    return Task(
        key=f"dev-{key}",
        title=f"{measure.title}{lower}, {setting.title}",
        metric=measure.file,
        function=measure.function,
        handmade=handmade,
        split=setting.split,
        network=setting.network,
        epochs=setting.epochs,
        batch_size=setting.batch_size,
        library=measure.library,
        maximize=measure.maximize,
        development=True,
    )


# Of all examples in one order

KS = Measure("Kolmogorov-Smirnov distance", "ks_distance", "ks")
YOUDEN = Measure("Youden's J", "youden", "youden")
BEST_F1 = Measure("best F1 of any threshold", "best_f1", "best_f1")
BEST_ACCURACY = Measure("best accuracy of any threshold", "best_accuracy", "best_accuracy")
FOUND = Measure("positives found at 10 % false positives", "tpr_at_fpr", "tpr_at_fpr")
TOP_TENTH = Measure("precision of the first tenth", "precision_top_tenth", "precision_top")
LIFT = Measure("lift of the first fifth", "lift", "lift")
RECALL = Measure("recall at 80 % precision", "recall_at_precision", "recall_at_precision")
EQUAL_ERROR = Measure("equal error rate", "equal_error_rate", "eer", maximize=False)
AP = Measure("average precision", "average_precision", "average_precision")
AUC = Measure("AUC", "roc_auc_torch", "roc_auc", library="torch")
PARTIAL_AUC = Measure("AUC up to 20 % false positives", "partial_auc", "pauc")
WORST_AUC = Measure("AUC of the worst group", "worst_auc", "min_auc")
MACRO_AP = Measure("macro average precision", "macro_average_precision", "macro_ap")

# Of one class an example

WORST_RECALL = Measure("worst recall", "worst_recall", "worst_recall")
MEAN_RECALL = Measure("geometric mean of recalls", "g_mean", "gmean")
MACRO_F1 = Measure("macro F1", "macro_f1", "macro_f1")
TOP_2 = Measure("top-2 accuracy", "top2_accuracy", "top2")
ACCURACY = Measure("accuracy", "accuracy", "accuracy")
HIERARCHY = Measure("hierarchical cost", "hierarchical_cost", "cost10", maximize=False)
KAPPA = Measure("quadratic kappa of an argmax", "kappa_of_classes", "qwk")
WITHIN_ONE = Measure("at most one grade off", "within_one", "within_one")
GRADE_ERROR = Measure("mean error of the grade", "grade_error", "mae", maximize=False)

# Of yes and no at a fixed threshold

WORST_GROUP = Measure("accuracy of the worst group", "worst_group_binary", "worst_group")
PROFIT = Measure("profit of a campaign", "profit", "profit")
MICRO_F1 = Measure("micro F1", "micro_f1", "micro_f1")
SAMPLES_F1 = Measure("F1 of each example's labels", "samples_f1", "samples_f1")
MAP_3 = Measure("MAP@3 of each example's labels", "map_at_k", "map_at_3")

BENT = Setting("a bent boundary, MLP", small.curved, partial(perceptron, 8))
BENT_LINEAR = Setting("a bent boundary, linear", small.curved, partial(linear, 8))
CLUSTERS = Setting("two clusters, MLP", data.two_clusters, partial(perceptron, 6))
LOGISTIC = Setting("a logistic model, linear", small.logistic, partial(linear, 20))
TUMOURS = Setting("tumours, linear, 20 % wrong labels", data.many_tumours, partial(linear, 30))
DIABETES = Setting("bad progression of diabetes, linear", small.bad_progress, partial(linear, 10), 12, 40)
GRADES = Setting("five grades of diabetes, linear", small.graded_progress, partial(linear, 10, 5), 12, 40)
MISLEADING = Setting("a background that misleads, MLP", data.misleading_groups, partial(perceptron, 8))
SITES = Setting("four sites, MLP", data.four_sites, partial(perceptron, 8))
LABELS = Setting("six labels, MLP", data.six_labels, partial(perceptron, 12, 6))
LABELS_LINEAR = Setting("six labels, linear", data.six_labels, partial(linear, 12, 6))


def digit(which: int, network: str = "MLP", noise: float = 0.0) -> Setting:
    """One digit against the rest."""
    made = partial(perceptron, 64, hidden=64) if network == "MLP" else partial(linear, 64)
    return Setting(f"digit {which}, {network}{wrong(noise)}", partial(data.one_digit, digit=which, noise=noise), made)


def ten(network: str = "linear", noise: float = 0.0) -> Setting:
    """Ten digits, 12 batches an epoch."""
    made = partial(perceptron, 64, 10, hidden=64) if network == "MLP" else partial(linear, 64, 10)
    split = partial(small.ten_digits, noise=noise)
    return Setting(f"ten digits, {network}{wrong(noise)}", split, made, batch_size=40)


def wrong(noise: float) -> str:
    return f", {noise * 100:g} % wrong labels" if noise else ""


def ungrouped(loss: Callable[[Tensor, Tensor], Tensor]) -> Factory:
    """A loss that does not know of groups."""

    def criterion(scores: Tensor, labels: Tensor, groups: Tensor) -> Tensor:
        return loss(scores, labels)

    return steady(criterion)


SMOOTH_AP: Criterion = partial(smooth_ap.smooth_ap, temperature=0.1)
CE = {"ce": steady(cross_entropy.cross_entropy)}
GRADED = {**CE, "weighted-ce": steady(costs.weighted_cross_entropy)}
ROBUST = {**CE, "gce": steady(costs.generalized_cross_entropy)}
CLASSES = {**GRADED, **ROBUST}
AGAINST_REST = {**CE, "one-against-rest": steady(cross_entropy.one_against_rest)}
BCE = {"bce": steady(cross_entropy.binary_cross_entropy)}
WEIGHTED = {**BCE, "weighted-bce": steady(cross_entropy.weighted_binary_cross_entropy)}
PAIRWISE = {"pairwise": steady(ranking.pairwise_logistic)}
RANKED = {**WEIGHTED, **PAIRWISE, "smooth-ap": steady(SMOOTH_AP)}
SOFT_F1 = {**BCE, "sigmoid-f1": steady(sigmoid_f.sigmoid_f)}
SOFT_PROFIT = {"soft-profit": steady(costs.soft_profit), **WEIGHTED}
GROUPED = {
    "bce": ungrouped(cross_entropy.binary_cross_entropy),
    "balanced-bce": steady(groups.balanced_binary_cross_entropy),
}
GROUPED_PAIRS = {
    **GROUPED,
    "pairwise": ungrouped(ranking.pairwise_logistic),
    "pairwise-in-groups": steady(groups.pairwise_in_groups),
}

TASKS: tuple[Task, ...] = (
    task("ks-digit3", KS, digit(3), RANKED),
    task("ks-clusters", KS, CLUSTERS, RANKED),
    task("ks-tumours", KS, TUMOURS, RANKED),
    task("ks-bent-linear", KS, BENT_LINEAR, RANKED),
    task("ks-diabetes", KS, DIABETES, RANKED),
    task("youden-clusters", YOUDEN, CLUSTERS, RANKED),
    task("best-f1-bent", BEST_F1, BENT, RANKED),
    task("best-f1-bent-linear", BEST_F1, BENT_LINEAR, RANKED),
    task("best-accuracy-clusters", BEST_ACCURACY, CLUSTERS, RANKED),
    task("found-digit9", FOUND, digit(9, "linear"), RANKED),
    task("found-clusters", FOUND, CLUSTERS, RANKED),
    task("top-tenth-bent", TOP_TENTH, BENT, RANKED),
    task("top-tenth-logistic", TOP_TENTH, LOGISTIC, RANKED),
    task("lift-bent-linear", LIFT, BENT_LINEAR, RANKED),
    task("recall-digit8", RECALL, digit(8, noise=0.05), RANKED),
    task("equal-error-bent", EQUAL_ERROR, BENT, RANKED),
    task("ap-clusters", AP, CLUSTERS, RANKED),
    task("ap-bent", AP, BENT, RANKED),
    task("ap-bent-linear", AP, BENT_LINEAR, RANKED),
    task("ap-digit3", AP, digit(3, "linear"), RANKED),
    task("auc-bent", AUC, BENT, RANKED),
    task("partial-auc-clusters", PARTIAL_AUC, CLUSTERS, RANKED),
    task("worst-auc-sites", WORST_AUC, SITES, GROUPED_PAIRS),
    task("macro-ap", MACRO_AP, ten(noise=0.1), AGAINST_REST),
    task("worst-recall", WORST_RECALL, ten("MLP"), CLASSES),
    task("mean-recall", MEAN_RECALL, ten(noise=0.2), CLASSES),
    task("macro-f1", MACRO_F1, ten(noise=0.3), CLASSES),
    task("top2", TOP_2, ten(noise=0.2), CLASSES),
    task("accuracy", ACCURACY, ten("MLP", noise=0.2), CLASSES),
    task("hierarchy", HIERARCHY, ten(noise=0.3), ROBUST),
    task("kappa", KAPPA, GRADES, GRADED),
    task("within-one", WITHIN_ONE, GRADES, GRADED),
    task("grade-error", GRADE_ERROR, GRADES, GRADED),
    task("worst-group-background", WORST_GROUP, MISLEADING, GROUPED),
    task("worst-group-sites", WORST_GROUP, SITES, GROUPED),
    task("profit", PROFIT, DIABETES, SOFT_PROFIT),
    task("micro-f1", MICRO_F1, LABELS, SOFT_F1),
    task("samples-f1", SAMPLES_F1, LABELS_LINEAR, SOFT_F1),
    task("map3", MAP_3, LABELS, {**BCE, **PAIRWISE}),
)

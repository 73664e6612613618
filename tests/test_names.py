"""Names decide only when they are clear."""

import pytest

from metric2loss.names import Undecided, class_name, find_direction, find_scores, find_targets, loss_path


@pytest.mark.parametrize(
    ("parameters", "scores", "targets"),
    [
        ("preds target", "preds", "target"),
        ("y_true y_pred", "y_pred", "y_true"),
        ("input target", "input", "target"),
        ("y_true y_score", "y_score", "y_true"),
        ("y_pred y", "y_pred", "y"),
        ("outputs targets", "outputs", "targets"),
        ("gt pr", "pr", "gt"),
        ("labels_true labels_pred", "labels_pred", "labels_true"),
        ("confidence correct", "confidence", "correct"),
        ("confidences predictions labels", "confidences", "labels"),
        ("SR GT", "SR", "GT"),
        ("mask_pred mask_gt", "mask_pred", "mask_gt"),
        ("actual predicted", "predicted", "actual"),
        ("qrels p", "p", "qrels"),
        ("x labels", "x", "labels"),
        ("a p", "p", "a"),
        ("distmat q_pids g_pids", "distmat", ""),
        ("pos_scores neg_scores", "pos_scores neg_scores", ""),
        ("y_pred_pos y_pred_neg", "y_pred_pos y_pred_neg", ""),
        ("target_scores nontarget_scores", "target_scores nontarget_scores", ""),
        ("pred_scores target_scores", "pred_scores", ""),
        ("pred_heatmaps joints", "pred_heatmaps", "joints"),
        ("self probs labels", "probs", "labels"),
    ],
)
def test_the_score_and_the_target_are_found_by_name(parameters, scores, targets):
    names = parameters.split()
    found = find_scores(names)
    assert found == tuple(scores.split())
    assert find_targets(names, found) == tuple(targets.split())


@pytest.mark.parametrize(
    "parameters", ["X T", "ratings_a ratings_b", "embeddings labels", "r k", "x mask", "result reference", ""]
)
def test_unclear_names_are_asked_for(parameters):
    assert isinstance(find_scores(parameters.split()), Undecided)


def test_the_question_offers_the_parameters_that_may_be_the_score():
    assert find_scores(["embeddings", "labels"]).candidates == ("embeddings",)


def test_a_parameter_with_a_default_is_not_the_score():
    assert isinstance(find_scores(["boxes", "labels", "conf"], optional={"conf"}), Undecided)
    assert find_scores(["pred", "target"], optional={"pred", "target"}) == ("pred",)


@pytest.mark.parametrize(
    ("function", "direction"),
    [
        ("accuracy", "maximize"),
        ("top5_accuracy", "maximize"),
        ("top1_error", "minimize"),
        ("average_precision", "maximize"),
        ("mAP", "maximize"),
        ("map_at_k", "maximize"),
        ("ap50", "maximize"),
        ("f1_score", "maximize"),
        ("f1_loss", "minimize"),
        ("f_beta_score", "maximize"),
        ("computeAUC", "maximize"),
        ("AveragePrecision", "maximize"),
        ("fpr_at_95_tpr", "minimize"),
        ("fpr95", "minimize"),
        ("recall_at_fpr", "maximize"),
        ("expected_calibration_error", "minimize"),
        ("brier_score", "minimize"),
        ("mean_rank", "minimize"),
        ("mean_reciprocal_rank", "maximize"),
        ("hits_at_10", "maximize"),
        ("hit_rate", "maximize"),
        ("false_positive_rate", "minimize"),
        ("true_positive_rate", "maximize"),
        ("spearman_distance", "minimize"),
        ("distance_correlation", "maximize"),
        ("negative_log_likelihood", "minimize"),
        ("one_minus_auc", "minimize"),
        ("neg_rmse", "maximize"),
        ("hd95", "minimize"),
        ("quadratic_weighted_kappa", "maximize"),
        ("area_under_curve", "maximize"),
        ("zero_one_loss", "minimize"),
        ("cost_of_false_alarms", "minimize"),
        ("terror", None),  # whole words only
        ("mapping", None),
        ("recalled", None),
        ("evaluate", None),
        ("score", None),
        ("negative_recall", None),
        ("_", None),
    ],
)
def test_the_direction_is_read_from_whole_words(function, direction):
    assert find_direction(function) == direction


@pytest.mark.parametrize(
    ("function", "name"),
    [
        ("average_precision", "AveragePrecisionLoss"),
        ("ndcg_at_10", "NdcgAt10Loss"),
        ("mAP", "MAPLoss"),
        ("zero_one_loss", "ZeroOneLoss"),
        ("_private", "PrivateLoss"),
        ("_1st", "Metric1stLoss"),
    ],
)
def test_classes_are_named_after_their_function(function, name):
    assert class_name(function) == name


def test_the_generated_file_lies_beside_its_source():
    assert str(loss_path("metrics/my_metric.py")) == "metrics/my_metric_loss.py"

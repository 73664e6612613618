"""Which comparisons of a score with itself need no binary: those that are one whatever the scores."""

from __future__ import annotations

import torch

from metric2loss import compile_metric


def rank_of_the_first(scores):
    """How many scores are at least the first one, itself included."""
    return (scores >= scores[0]).sum()


def share_at_a_sorted_level(scores):
    """How many scores are at least the third smallest: which of them meets itself depends on the order."""
    return (scores >= torch.sort(scores)[0][2]).sum() / len(scores)


def recorded(metric, scores):
    criterion = compile_metric(metric, scores="scores", direction="minimize", example={"scores": scores})()
    return criterion, criterion.record(scores)


def test_a_score_that_always_meets_itself_has_no_binary():
    scores = torch.tensor([0.5, 0.1, 0.9, 0.5])
    criterion, configuration = recorded(rank_of_the_first, scores)
    assert len(configuration.flat) == 3
    assert float(criterion.replay(configuration, scores)) == 3


def test_scores_that_meet_themselves_by_their_order_keep_their_binaries():
    scores = torch.tensor([0.5, 0.1, 0.9, 0.3])
    criterion, configuration = recorded(share_at_a_sorted_level, scores)
    compared = [layout.size for _, layout in configuration.sites if layout.kind == "compare"]
    assert compared == [4]
    for moved in (scores.flip(0), scores[[2, 0, 1, 3]]):
        assert float(criterion.replay(criterion.record(moved), scores)) == float(share_at_a_sorted_level(moved))

"""Guesses at the best configuration of metrics whose steps depend on ties, or whose targets say nothing by themselves."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from metric2loss import compile_metric
from metric2loss.runtime import influence
from metric2loss.runtime.proposals import _untied


def equal_error_rate(genuine, impostor):
    """The error rate at the threshold, among the scores and half-way between them, where both kinds of errors are equal."""
    levels = torch.unique(torch.cat([genuine, impostor]))
    levels = torch.sort(torch.cat([levels, (levels[1:] + levels[:-1]) / 2]))[0]
    best = (2.0, 0.0)
    for level in levels:
        missed = (genuine < level).float().mean()
        let_in = (impostor >= level).float().mean()
        apart = (missed - let_in).abs().item()
        if apart < best[0]:
            best = (apart, ((missed + let_in) / 2).item())
    return best[1]


def uplift_of_the_best(scores, outcome, treated):
    """How much oftener the treated respond than the others, among the best third."""
    best = np.argsort(-scores)[: len(scores) // 3]
    response, group = outcome[best], treated[best]
    if group.sum() in (0, len(group)):
        return 0.0
    return response[group == 1].mean() - response[group == 0].mean()


def test_a_threshold_at_every_distinct_score_has_its_best_configuration_without_ties():
    draw = torch.Generator().manual_seed(0)
    batches = [(torch.randn(9, generator=draw), torch.randn(12, generator=draw)) for _ in range(4)]
    example = dict(zip(("genuine", "impostor"), batches[0]))
    criterion = compile_metric(
        equal_error_rate, scores=("genuine", "impostor"), direction="minimize", example=example
    )()
    for genuine, impostor in batches:
        criterion(genuine.requires_grad_(), impostor)
        assert criterion.best_value == 0


@pytest.mark.parametrize(
    "guess",
    [torch.tensor([1.0, 0, 0, 1, 0]), torch.full((5,), -10.0), torch.tensor([3, 0, 3, 1, 0], dtype=torch.float64)],
    ids=["labels", "one value", "grades"],
)
def test_equal_scores_are_set_apart_inside_their_range_and_their_order(guess):
    like = torch.tensor([0.3, 0.1, 0.2, 0.9, 0.5])
    apart = _untied(guess, like)
    assert len(apart.unique()) == len(guess)
    if len(guess.unique()) > 1:
        assert apart.min() >= guess.min()
        assert apart.max() <= guess.max()
    for i in range(len(guess)):
        for j in range(len(guess)):
            before = guess[i] < guess[j] or (guess[i] == guess[j] and like[i] < like[j])
            assert bool(apart[i] < apart[j]) == bool(before)


def test_where_targets_make_few_classes_a_few_items_stand_for_all(monkeypatch):
    draw = np.random.default_rng(0)
    example = {
        "scores": draw.standard_normal(120),
        "outcome": draw.integers(0, 2, 120),
        "treated": draw.integers(0, 2, 120),
    }
    criterion = compile_metric(uplift_of_the_best, scores="scores", direction="maximize", example=example)()
    asked = []
    real = influence._Items.__init__
    monkeypatch.setattr(
        influence._Items, "__init__", lambda self, *args: (real(self, *args), asked.append(len(self.asked)))[0]
    )
    for _ in range(5):
        example["scores"] = draw.standard_normal(120)
        criterion(**{**example, "scores": torch.tensor(example["scores"], requires_grad=True)})
        assert criterion.best_value == 1
    assert asked
    assert max(asked) <= 8

"""Credit is come by as the metric's structure allows; the report says how, and another way can be asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from metric2loss.diagnostics import MetricError
from metric2loss.runtime.interpolants.ways import BY_STRUCTURE, WAYS
from tests.test_examples import generated


def batch(name: str) -> tuple[Any, ...]:
    """Two of three items are of the rare kind."""
    draw = torch.Generator().manual_seed(0)
    if name in ("accuracy", "macro_f1"):
        return torch.randn(9, 3, generator=draw, requires_grad=True), np.arange(9) % 3
    if name == "ndcg":
        return torch.randn(4, 6, generator=draw, requires_grad=True), np.arange(24).reshape(4, 6) % 4
    return torch.randn(12, generator=draw, requires_grad=True), (np.arange(12) % 3 == 0).astype(int)


def taught(name: str, **options: Any) -> tuple[Any, torch.Tensor]:
    """The loss after two batches, and the gradient of the second."""
    criterion = generated(name)(generator=torch.Generator().manual_seed(1), **options)
    for _ in range(2):
        arguments = batch(name)
        criterion(*arguments).backward()
    return criterion, arguments[0].grad


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "accuracy",
            "rows: every row is a choice between two outcomes, worth the same whatever the others are; 2 evalu",
        ),
        ("average_precision", "swaps: one order of two classes, whose flips are sums of neighbouring swaps; all swaps"),
        ("macro_f1", "flips: rows of choices put on each of their candidates; 108 evaluations"),
        ("ndcg", "flips: single binaries, those of every row at once, turned in sampled configurations"),
    ],
)
def test_the_report_says_how_credit_was_come_by_and_why(name, said):
    criterion, gradient = taught(name)
    assert criterion.report()["credit"].startswith(said)
    assert gradient.abs().sum() > 0


@pytest.mark.parametrize("name", ["accuracy", "average_precision", "macro_f1", "ndcg"])
@pytest.mark.parametrize("way", ["flips", "anchors", "evenly"])
def test_ways_that_fit_every_metric_can_be_asked_for(name, way):
    criterion, gradient = taught(name, credit_by=way)
    assert criterion.report()["credit"].startswith(f"{way}: ")
    assert torch.isfinite(gradient).all() and gradient.abs().sum() > 0


def test_flips_of_rows_that_decide_alone_give_what_the_closed_form_gives():
    assert torch.allclose(taught("accuracy", credit_by="flips")[1], taught("accuracy", credit_by="rows")[1], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("accuracy", "swaps"),
        ("average_precision", "rows"),
        ("macro_f1", "rows"),
        ("ndcg", "swaps"),
        ("ndcg", "rows"),
        ("ndcg", "strata"),
    ],
)
def test_a_way_that_does_not_fit_is_refused(name, way):
    with pytest.raises(MetricError) as caught:
        taught(name, credit_by=way)
    assert [found.code for found in caught.value.diagnostics] == ["M2L513"]


def test_an_unknown_way_lists_the_known_ones():
    with pytest.raises(ValueError, match=", ".join(WAYS)):
        generated("accuracy")(credit_by="guessing")


def test_other_interpolants_have_no_credit_to_report():
    criterion = generated("accuracy")("idw")
    criterion(*batch("accuracy")).backward()
    assert criterion.report()["credit"] is None and BY_STRUCTURE in WAYS

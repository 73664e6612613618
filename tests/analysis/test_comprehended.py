"""Names of comprehensions, lambdas and inner functions stay where they are: f hears only of what exists at the step."""

from __future__ import annotations

import pytest
import torch

from metric2loss import compile_metric
from tests.analysis import comprehended


@pytest.mark.parametrize("metric", comprehended.METRICS, ids=lambda metric: metric.__name__)
def test_values_are_the_metrics_and_gradients_are_there(metric):
    criterion = compile_metric(metric, direction="maximize")()
    for seed in range(4):
        draw = torch.Generator().manual_seed(seed)
        scores = torch.randn(24, 3, generator=draw)
        scores = ((scores * 2).round() / 2 if seed % 2 else scores).requires_grad_()
        labels = torch.randint(0, 3, (24,), generator=draw)
        criterion(scores, labels).backward()
        torch_only = metric is comprehended.dice_by_class
        given = (scores.detach(), labels) if torch_only else (scores.detach().numpy(), labels.numpy())
        exact = float(metric(*given))
        configuration = criterion.record(scores, labels)
        assert float(criterion.metric) == exact
        assert float(criterion.replay(configuration.with_flat(configuration.flat), scores, labels)) == exact
        assert scores.grad.abs().sum() > 0

"""A linear model learns under each interpolant: three blobs by accuracy, a rare class by average precision."""

from __future__ import annotations

import pytest
import torch

from metric2loss.runtime import SurrogateLoss, steps


class AccuracyLoss(SurrogateLoss):
    """Share of rows whose largest score is that of the label."""

    direction, scores, library = "maximize", ("scores",), "torch"

    def f(self, scores, labels):
        return steps.choose.differences(scores, 1, using="argmax", outcome=lambda predicted: predicted == labels)

    def g(self, binaries, labels):
        return self.rows(binaries, labels).mean()

    def rows(self, binaries, labels):
        return steps.choose.result(binaries).double()


class AveragePrecisionLoss(SurrogateLoss):
    """Area under the precision-recall curve."""

    direction, scores, library = "maximize", ("scores",), "torch"

    def f(self, scores, labels):
        return steps.order.differences(-scores, told_apart_by=(labels,))

    def g(self, binaries, labels):
        hits = labels[steps.order.result(binaries)]
        precision = hits.cumsum(0) / torch.arange(1, len(hits) + 1)
        return (precision * hits).sum() / hits.sum()


def trained(criterion: SurrogateLoss, x: torch.Tensor, y: torch.Tensor, outputs: int) -> float:
    torch.manual_seed(0)
    model = torch.nn.Linear(x.shape[1], outputs)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    for _ in range(40):
        loss = criterion(model(x).squeeze(1), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return float(criterion.metric)


def blobs(amount: int, classes: int, apart: float) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(1)
    labels = torch.arange(amount) % classes
    centres = apart * torch.randn(classes, 6, generator=draw)
    return centres[labels] + torch.randn(amount, 6, generator=draw), labels


@pytest.mark.parametrize("name", ["integrated", "idw", "pull", "relational"])
def test_accuracy(name):
    x, labels = blobs(60, 3, 2.0)
    draw = torch.Generator().manual_seed(0)
    assert trained(AccuracyLoss(name, total_steps=40, generator=draw), x, labels, 3) > 0.95


@pytest.mark.parametrize("name", ["integrated", "idw", "pull", "relational", "multilinear"])
def test_average_precision(name):
    x, labels = blobs(40, 5, 2.0)
    draw = torch.Generator().manual_seed(0)
    assert trained(AveragePrecisionLoss(name, total_steps=40, generator=draw), x, (labels == 0).long(), 1) > 0.95

"""The multi-layer perceptrons: 784-500-300 of the UniLoss paper, a small one for digits, and one that scores documents."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from bench.handmade.ranking import PADDED


def perceptron(inputs: int, hidden: Sequence[int]) -> nn.Sequential:
    """Fully connected with ReLU, one score an example; takes pictures or vectors.

    `perceptron(784, (500, 300))` is the paper's but for its output: two-way there, where only the difference of the two counts.
    """
    widths = [inputs, *hidden]
    layers: list[nn.Module] = [nn.Flatten()]
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], 1), nn.Flatten(0))


class Ranker(nn.Module):
    """(queries, documents, features + 1) to scores (queries, documents); the last feature is 1 for documents and 0 for padding."""

    def __init__(self, features: int, hidden: Sequence[int]) -> None:
        super().__init__()
        self.score = perceptron(features, hidden)

    def forward(self, x: Tensor) -> Tensor:
        queries, documents, _ = x.shape
        scores = self.score(x[..., :-1].reshape(queries * documents, -1)).reshape(queries, documents)
        return torch.where(x[..., -1] > 0, scores, PADDED)

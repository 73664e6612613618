"""Rows of items in classes, which is what orders and choices have in common, whether by pairs or by margins."""

from __future__ import annotations

import torch
from torch import Tensor

from metric2loss.runtime.kept import kept
from metric2loss.runtime.layouts.base import Layout
from metric2loss.runtime.side import Side


class Classed(Layout):
    """Rows of n items with equal numbers for those that need no binary between them.

    classes: LongTensor[rows, n].  low: the lower class where no row has more than two; the numbers are then made when read.
    keys: autograd tensor [rows * n], larger comes first.
    """

    lower: Side | None

    def __init__(self, classes: Tensor | None, keys: Tensor, low: Side | None = None) -> None:
        if low is not None:
            self.lower = low
        if classes is not None:
            self.classes = classes
        self.device = keys.device
        self.keys = keys
        self.n = classes.shape[1] if low is None else low.width  # type: ignore[union-attr]
        self.n_rows = len(classes) if classes is not None else keys.numel() // self.n

    @kept
    def classes(self) -> Tensor:
        """0 for the lower class and 1 for the other, [rows, n]."""
        assert self.lower is not None
        return self.lower.items.logical_not().view(torch.uint8)

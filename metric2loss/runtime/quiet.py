"""Runs of the metric that keep no graph, and whose warnings are nobody's business."""

from __future__ import annotations

import warnings

import numpy as np
import torch

_ALL = ("ignore", None, Warning, None, 0)  # an entry of `warnings.filters` that fits every warning


class Quiet:
    """What `torch.no_grad()`, `np.errstate(all="ignore")` and ignored warnings are together, at the cost of one of them."""

    def __enter__(self) -> None:
        self._graph = torch.is_grad_enabled()
        torch._C._set_grad_enabled(False)
        self._filters, warnings.filters = warnings.filters, [_ALL]
        self._numbers = np.errstate(all="ignore")
        self._numbers.__enter__()

    def __exit__(self, *error: object) -> None:
        self._numbers.__exit__(None, None, None)
        warnings.filters = self._filters
        torch._C._set_grad_enabled(self._graph)

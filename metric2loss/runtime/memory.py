"""Score memory: the last M scores and targets join the batch, so that a metric of the whole batch sees more examples.

Remembered scores are detached: the gradient reaches the current batch alone.  What joins is every argument with one entry
per example, told by its length; an argument whose length once differed from the batch's never does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from metric2loss.runtime.arguments import Arguments
from metric2loss.runtime.failures import failure
from metric2loss.runtime.problem import Problem

Kept = dict[str, Any]


class ScoreMemory(nn.Module):
    """The last `size` examples of earlier batches; part of the loss's state."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self._kept: Kept = {}
        self._whole: set[str] = set()  # arguments that are not per example

    def __len__(self) -> int:
        return len(next(iter(self._kept.values()))) if self._kept else 0

    def joined(self, given: Arguments) -> Arguments:
        """The batch, then the remembered examples, the latest first."""
        if not len(self) or set(self._kept) != {*given.scores, *self._per_example(given)}:
            return given
        scores = {name: _cat(x, self._kept[name]) for name, x in given.scores.items()}
        others = {name: _cat(x, self._kept[name]) if name in self._kept else x for name, x in given.others.items()}
        return replace(given, scores=scores, others=others)

    def keep(self, given: Arguments) -> None:
        """Remember the examples of this batch."""
        names = self._per_example(given)
        batch: Kept = {name: x.detach() for name, x in given.scores.items()}
        batch |= {name: given.others[name] for name in names}
        if set(batch) == set(self._kept):
            batch = {name: _cat(x, self._kept[name]) for name, x in batch.items()}
        self._kept = {name: _copied(x[: self.size]) for name, x in batch.items()}

    def check(self, problem: Problem, name: str) -> None:
        """A mean over rows does not change by rows of which none has a gradient."""
        if problem.row_of is not None:
            raise failure(
                "M2L509",
                f"{name}(memory={self.size}): the metric is a mean over rows",
                "remembered rows have no gradient, and the others do not depend on them",
                "leave memory out; it serves metrics of the whole batch, such as average precision",
            )

    def _per_example(self, given: Arguments) -> list[str]:
        found = per_example(given)
        self._whole |= set(given.others) - set(found)
        return [name for name in found if name not in self._whole]

    def get_extra_state(self) -> Mapping[str, Any]:
        """For state_dict: tensors and plain values only, so that `torch.load` reads it without trusting it."""
        arrays = [name for name, x in self._kept.items() if isinstance(x, np.ndarray)]
        kept = {name: torch.from_numpy(x) if name in arrays else x for name, x in self._kept.items()}
        return {"kept": kept, "arrays": arrays, "whole": sorted(self._whole)}

    def set_extra_state(self, state: Mapping[str, Any]) -> None:
        """From state_dict."""
        self._kept = {name: x.numpy() if name in state["arrays"] else x for name, x in state["kept"].items()}
        self._whole = set(state["whole"])


def per_example(given: Arguments) -> list[str]:
    """The arguments beside the scores with one entry per example, told by their length."""
    length = len(next(iter(given.scores.values()))) if all(x.ndim for x in given.scores.values()) else -1
    if any(len(x) != length for x in given.scores.values() if x.ndim):
        return []  # scores of different lengths: there are no examples to speak of
    return [name for name, value in given.others.items() if _length(value) == length]


def _length(value: Any) -> int:
    if isinstance(value, (Tensor, np.ndarray)):
        return len(value) if value.ndim else -1
    return len(value) if isinstance(value, (list, tuple)) else -1


def _cat(first: Any, second: Any) -> Any:
    if isinstance(first, Tensor):
        return torch.cat([first, second.to(first.device, first.dtype)])
    if isinstance(first, np.ndarray):
        return np.concatenate([first, second])
    return type(first)([*first, *second])


def _copied(x: Any) -> Any:
    """The caller may write into its arrays later."""
    return x.clone() if isinstance(x, Tensor) else x.copy() if isinstance(x, np.ndarray) else type(x)(x)

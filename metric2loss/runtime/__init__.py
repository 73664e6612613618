"""What generated modules import: the loss they derive from and the vocabulary of their steps."""

from __future__ import annotations

from metric2loss.runtime import steps
from metric2loss.runtime.loss import Configuration, Problem, SurrogateLoss

__all__ = ["Configuration", "Problem", "SurrogateLoss", "steps"]

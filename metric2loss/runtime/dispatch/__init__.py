"""Library code with scores inside, unmodified: its steps are met at run time by the rules of generated code."""

from __future__ import annotations

from metric2loss.runtime.dispatch.loss import DispatchedLoss

__all__ = ["DispatchedLoss"]

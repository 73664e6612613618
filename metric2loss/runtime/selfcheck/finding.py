"""What one check found on one batch."""

from __future__ import annotations

from dataclasses import dataclass

from metric2loss.diagnostics import Span

REPORT = "Report it with the metric: the loss does not compute what the metric computes."


@dataclass(frozen=True)
class Finding:
    """The result of one check in words; `passed` is None when the check does not apply."""

    passed: bool | None
    detail: str = ""
    why: str = ""
    hint: str = ""
    code: str = "M2L508"
    span: Span | None = None
    check: str = ""

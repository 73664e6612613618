"""From what went wrong while a loss ran to a MetricError that names the line of the user's code."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from types import FrameType

from metric2loss.diagnostics import Diagnostic, MetricError, MetricWarning, Span, warning_text

_OWN = str(Path(__file__).resolve().parent.parent)
_LIBRARIES = ("/torch/", "/numpy/", "\\torch\\", "\\numpy\\", "<frozen")


def failure(code: str, message: str, why: str = "", hint: str = "") -> MetricError:
    """An error of one diagnostic, placed at the innermost line that is neither ours nor a library's."""
    return MetricError(Diagnostic(code, _user_line(), message, why, hint))


def warned(code: str, message: str, why: str, hint: str) -> None:
    """A warning of one diagnostic."""
    warnings.warn(warning_text(Diagnostic(code, None, message, why, hint)), MetricWarning, stacklevel=2)


def _user_line() -> Span | None:
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        path = frame.f_code.co_filename
        if not path.startswith(_OWN) and not any(part in path for part in _LIBRARIES):
            return Span(path, frame.f_lineno)
        frame = frame.f_back
    return None

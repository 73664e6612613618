"""From what went wrong while a loss ran to a MetricError that names the line of the user's code."""

from __future__ import annotations

import sys
import traceback
import warnings
from pathlib import Path
from types import FrameType

from metric2loss.diagnostics import Diagnostic, MetricError, MetricWarning, Span, warning_text

_OWN = str(Path(__file__).resolve().parent.parent)
_RUNS = ("_run", "_run_f")  # our functions that run a metric
_LIBRARIES = ("/torch/", "/numpy/", "\\torch\\", "\\numpy\\", "<frozen")


def failure(code: str, message: str, why: str = "", hint: str = "") -> MetricError:
    """An error of one diagnostic, placed at the innermost line of the metric that is neither ours nor a library's."""
    return MetricError(Diagnostic(code, _user_line(), message, why, hint))


def warned(code: str, message: str, why: str, hint: str) -> None:
    """A warning of one diagnostic."""
    warnings.warn(warning_text(Diagnostic(code, None, message, why, hint)), MetricWarning, stacklevel=2)


def line_of(error: BaseException) -> Span | None:
    """The innermost line of the user's that an exception came through."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [Span(one.filename, one.lineno or 1) for one in reversed(frames) if not _ours(one.filename)]
    return _users(lines)


def _user_line() -> Span | None:
    lines: list[Span] = []
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        path = frame.f_code.co_filename
        if _ours(path):
            if lines and frame.f_code.co_name in _RUNS and path.startswith(_OWN):
                break  # what called the loss is no part of the metric
        else:
            lines.append(Span(path, frame.f_lineno))
        frame = frame.f_back
    return _users(lines)


def _ours(path: str) -> bool:
    return path.startswith(_OWN) or any(part in path for part in _LIBRARIES)


def _users(lines: list[Span]) -> Span | None:
    """The first that is in no installed package, if there is one."""
    own = (line for line in lines if "site-packages" not in line.path)
    return next(own, lines[0] if lines else None)

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


def on_arguments(name: str, error: Exception, before: bool) -> MetricError:
    """The error of a metric that raises on its arguments, at its own check where it has one.

    before: it did not on earlier batches, so that it is the values of the scores that it refuses.
    """
    text = str(error).strip()
    what = f"{name} failed on these arguments: {type(error).__name__}{f': {text}' if text else ''}"
    check = _check(error)
    if check is None:
        return failure("M2L503", what, hint="check the shapes and types of the arguments against the metric's")
    span, line = check
    hint = "check the arguments against what the metric asks of them"
    if before:
        hint = (
            "it held on earlier batches: keep the scores where the metric is defined, "
            "for instance by torch.nn.functional.softplus (positive) or torch.sigmoid (from 0 to 1)"
        )
    return MetricError(Diagnostic("M2L503", span, what, f"the metric's own check does not hold: `{line}`", hint))


def _check(error: Exception) -> tuple[Span, str] | None:
    """The `assert` or `raise` of the metric's code, or of a library of its own, that the error comes from."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename.startswith(_OWN) or any(part in frame.filename for part in _LIBRARIES):
            return None
        line = (frame.line or "").strip()
        checks = line.startswith(("assert ", "raise ")) or " raise " in line
        return (Span(frame.filename, frame.lineno or 1), line) if checks else None
    return None


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

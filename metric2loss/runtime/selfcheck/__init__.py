"""Turns a loss, its metric and a batch into findings; `verify` and compilation with an example ask the same checks.

A program that lost a step still replays its own binaries.  It shows in binaries of other scores that do not give the metric of
those, in operands that drift, in sites never seen before, in configurations that fail, in batched values that differ from the
plain loop, in scores that beat the best configuration.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from metric2loss.diagnostics import Diagnostic, MetricError
from metric2loss.runtime.selfcheck import learning, operands, values
from metric2loss.runtime.selfcheck.finding import Finding
from metric2loss.runtime.selfcheck.subject import Amounts, Subject

__all__ = [
    "CHECKS",
    "ROUTE",
    "Amounts",
    "Finding",
    "Subject",
    "asked",
    "compiling",
    "diagnostics_of",
    "failed",
    "self_check",
    "value_of",
]

Check = Callable[[Subject], Finding]

value_of = values.value_of

# in the order a reader wants them
CHECKS: tuple[Check, ...] = (
    values.has_step,
    values.exact,
    values.replayed,
    values.swapped,
    operands.stay,
    operands.total,
    values.batched,
    values.interchangeable,
    learning.reached,
    learning.gradient,
    learning.best,
)
# what decides whether a route is right; the rest is asked of the one that is taken
ROUTE: tuple[Check, ...] = (values.has_step, values.replayed, values.swapped, operands.stay, operands.total)
SECONDS = 0.3  # that the checks of a compilation may take


def self_check(
    loss: Any,
    arguments: Mapping[str, Any],
    *,
    metric: Callable[..., Any] | None = None,
    seed: int = 0,
    seconds: float | None = None,
    checks: Sequence[Check] = CHECKS,
) -> tuple[Finding, ...]:
    """All checks on one batch, its arguments given by name in the metric's own library.

    metric: the user's function; without it the loss's own values stand in.  seconds: about what the checks may take, as far
    as their number depends on it; None: no limit.
    """
    subject = Subject(loss, dict(arguments), metric, seed)
    if seconds is not None:
        subject.afford(seconds)
    return asked(subject, checks)


def asked(subject: Subject, checks: Sequence[Check]) -> tuple[Finding, ...]:
    """What each check finds."""
    return tuple(_tried(subject, check) for check in checks)


def compiling(loss: Any, arguments: Mapping[str, Any], metric: Callable[..., Any] | None = None) -> MetricError | None:
    """What compilation with an example asks; None when everything passed."""
    plan = getattr(loss, "plan", None)  # a route that was chosen by its checks
    checks = [check for check in CHECKS if check is not learning.gradient and not (plan and check in ROUTE)]
    subject = Subject(loss, dict(arguments), metric)
    if plan is not None and plan.seconds is not None:
        subject.known["taken"] = plan.seconds
    subject.afford(SECONDS)
    reasons = tuple(diagnostics_of(type(loss).__name__, asked(subject, checks), "the example"))
    return MetricError(reasons) if reasons else None


def failed(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Those that did not pass."""
    return tuple(found for found in findings if found.passed is False)


def diagnostics_of(name: str, findings: Sequence[Finding], on: str = "this batch") -> Iterator[Diagnostic]:
    """One diagnostic for each reason; the checks that failed for the same reason share it."""
    reasons: dict[tuple[Any, ...], list[str]] = {}
    for found in failed(findings):
        reason = found.code, found.span, found.why or found.detail, found.hint
        reasons.setdefault(reason, []).append(found.check)
    for (code, span, why, hint), checks in reasons.items():
        what = "every check failed" if len(checks) == len(findings) > 1 else f"failed: {'; '.join(checks)}"
        yield Diagnostic(code, span, f"{name} on {on}: {what}", why, hint)


def _tried(subject: Subject, check: Check) -> Finding:
    """What a check found; one that raises has failed."""
    title = (check.__doc__ or "").splitlines()[0].rstrip(".")
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = check(subject.fresh())
    except MetricError as error:
        first = error.diagnostics[0]
        why = f"{first.code}: {first.message}" + (f" ({first.why})" if first.why else "")
        found = Finding(False, first.message, why, first.hint, span=first.span)
    except Exception as error:  # noqa: BLE001 - user code and generated code run here; any failure is a finding
        found = Finding(False, f"{type(error).__name__}: {error}", span=subject.span_of(error))
    return replace(found, check=title, span=found.span or subject.span)

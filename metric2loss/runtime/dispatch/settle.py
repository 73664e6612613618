"""Finds out, on one batch, how a live metric is to be run: which calls are opaque, which steps only guard, whether ranks are all.

The routes are tried in order: the metric with its steps met; the same with fresh arrays that scores can be written into; with
calls that keep scores to themselves given ranks, if ranks are all they need; ranks for the whole metric, by row or jointly.  A route counts when the binaries recorded at other
scores give the metric of those.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from metric2loss.diagnostics import MetricError
from metric2loss.runtime import opaque, selfcheck
from metric2loss.runtime.dispatch.freezing import checks, guards
from metric2loss.runtime.dispatch.places import Place
from metric2loss.runtime.dispatch.plan import Plan
from metric2loss.runtime.failures import failure
from metric2loss.runtime.order_invariant import invariances

Arguments = Mapping[str, Any]
_WHOLE: tuple[str, ...] = ("rows", "joint")


def settled(loss: Any, arguments: Arguments) -> Plan:
    """The plan of a loss's metric, from the arguments of one batch by name."""
    plan = Plan(opaque={code: opaque.wrapped(promise) for code, promise in invariances().items()})
    first: Exception | None = None
    for candidate in _routes(plan):
        if candidate.buffers and not _may_write(first):
            continue
        loss.plan = candidate
        try:
            found = _tried(loss, arguments)
        except (MetricError, *_FAILURES) as error:
            if getattr(error, "final", False):
                raise
            first = first or error
            continue
        if isinstance(found, Plan):
            return found
        first = first or found
    loss.plan = plan
    raise first if isinstance(first, MetricError) else failure("M2L508", f"no route is exact: {first}")


_UNTOLD = (
    "the example does not tell whether only the order of the scores counts",
    "at nearly all other scores that were tried the metric has one and the same value",
    "give an example on which the metric varies with the scores",
)
_FAILURES = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError, AssertionError)


def _may_write(refusal: Exception | None) -> bool:
    """Whether a score may have been lost by being written into a plain array."""
    return isinstance(refusal, MetricError) and any(found.code in ("M2L302", "M2L503") for found in refusal.diagnostics)


def _routes(plan: Plan) -> Iterator[Plan]:
    yield plan
    yield replace(plan, buffers=True)
    if plan.opaque:
        yield replace(plan, opaque={})  # ranks are no probabilities, which some calls insist on
    for whole in _WHOLE:
        yield replace(plan, whole=whole, opaque={})


def _tried(loss: Any, arguments: Arguments) -> Plan | MetricError:
    """The plan with its guards, or why the route is not exact."""
    without = selfcheck.Subject(loss, dict(arguments))
    found = frozenset() if loss.plan.whole else guards(loss, without.here(), arguments)
    refusal: MetricError | None = None
    for frozen in dict.fromkeys((found, frozenset(place for place in found if checks(place)), frozenset[Place]())):
        plan: Plan = replace(loss.plan, frozen=frozen)
        loss.plan = plan
        subject = selfcheck.Subject(loss, dict(arguments)) if frozen else without
        if not len(subject.here().flat):
            return failure(
                "M2L201", "no step was met: the metric is already differentiable", hint="use it as a loss as it is"
            )
        subject.afford(selfcheck.SECONDS)
        checked = selfcheck.asked(subject, selfcheck.ROUTE)
        doubts = tuple(selfcheck.diagnostics_of(type(loss).__name__, checked, f"the route {plan.route}"))
        if not doubts:
            if plan.whole and not _told(subject):
                return failure("M2L508", *_UNTOLD)
            return replace(plan, seconds=subject.known.get("taken"))
        refusal = refusal or MetricError(doubts)
    assert refusal is not None
    return refusal


def _told(subject: selfcheck.Subject) -> bool:
    """Whether the checks could have failed: where the metric is nearly constant, ranks seem to be all it needs."""
    subject = subject.fresh()
    values = [value for moved in subject.others() if (value := subject.value_or_none(moved)) is not None]
    most = max((sum(one == other for other in values) for one in values), default=0)
    return len(values) - most >= max(1, len(values) // 10)

"""Finds out, on one batch, how a live metric is to be run: which calls are opaque, which steps only guard, whether ranks are all.

The routes are tried in order: the metric with its steps met; the same with calls that keep scores to themselves given ranks,
if ranks are all they need; ranks for the whole metric, by row or jointly.  A route counts when the binaries recorded at other
scores give the metric of those.
"""

from __future__ import annotations

import copy
import inspect
import math
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metric2loss.diagnostics import MetricError
from metric2loss.runtime import opaque
from metric2loss.runtime.dispatch.freezing import guards
from metric2loss.runtime.dispatch.plan import Plan
from metric2loss.runtime.evaluate import number
from metric2loss.runtime.failures import failure
from metric2loss.runtime.order_invariant import invariances

Arguments = Mapping[str, Any]
_WHOLE: tuple[str, ...] = ("rows", "joint")


def settled(loss: Any, arguments: Arguments) -> Plan:
    """The plan of a loss's metric, from the arguments of one batch by name."""
    plan = Plan(opaque={code: opaque.wrapped(promise) for code, promise in invariances().items()})
    first: Exception | None = None
    for candidate in _routes(plan):
        loss.plan = candidate
        try:
            found = _tried(loss, arguments)
        except (MetricError, *_FAILURES) as error:
            first = first or error
            continue
        if isinstance(found, Plan):
            return found
        first = first or found
    loss.plan = plan
    raise first if isinstance(first, MetricError) else failure("M2L508", f"no route is exact: {first}")


_FAILURES = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError, AssertionError)


def doubt(loss: Any, metric: Callable[..., Any], arguments: Arguments) -> MetricError | None:
    """Why a compiled loss is not exact on a batch; None when it is."""
    try:
        configuration = loss.record(**arguments)
        if not len(configuration.flat):
            return failure("M2L201", "no score reaches a step of this metric")
        reason = _inexact(loss, configuration, arguments, metric)
    except MetricError as error:
        return error
    return failure("M2L508", reason) if reason else None


def _routes(plan: Plan) -> Iterator[Plan]:
    yield plan
    for whole in _WHOLE:
        yield replace(plan, whole=whole, opaque={})


def _tried(loss: Any, arguments: Arguments) -> Plan | MetricError:
    """The plan with its guards, or why the route is not exact."""
    configuration = loss.record(**arguments)
    frozen = frozenset() if loss.plan.whole else guards(loss, configuration, arguments)
    plan = replace(loss.plan, frozen=frozen)
    loss.plan = plan
    if frozen:
        configuration = loss.record(**arguments)
    if not len(configuration.flat):
        return failure(
            "M2L201", "no step was met: the metric is already differentiable", hint="use it as a loss as it is"
        )
    reason = _inexact(loss, configuration, arguments)
    return plan if not reason else failure("M2L508", reason, f"route {plan.route}")


def _inexact(loss: Any, configuration: Any, arguments: Arguments, metric: Callable[..., Any] | None = None) -> str:
    """What EXACT and SWAP find, "" when nothing."""
    here = value_of(loss, arguments, metric)
    ours = float(loss.replay(configuration, **arguments))
    if not _close(ours, here):
        return f"the metric is {here!r}, replaying its own binaries gives {ours!r}"
    if loss.mixed:
        return ""
    for moved in _moved(loss, arguments):
        there = _or_none(lambda moved=moved: value_of(loss, moved, metric))  # type: ignore[misc]
        if there is None:
            continue
        ours = float(loss.replay(loss.record(**moved), **arguments))
        if not _close(ours, there):
            return f"at other scores the metric is {there!r}, replaying their binaries gives {ours!r}"
    return ""


def value_of(loss: Any, arguments: Arguments, metric: Callable[..., Any] | None = None) -> float:
    """The metric itself, run plainly."""
    function = metric or type(loss).metric_function
    given = plainly(function, arguments)
    with warnings.catch_warnings(), np.errstate(all="ignore"), torch.no_grad():
        warnings.simplefilter("ignore")
        result = loss.picked(function(*given.args, **given.kwargs))
    return float(number(result, torch.device("cpu")).mean())


def plainly(function: Callable[..., Any], arguments: Arguments) -> inspect.BoundArguments:
    """Arguments by name as a function is called; arrays are copies, for it may write into them."""
    signature = inspect.signature(function)
    known = OrderedDict((name, copy.deepcopy(arguments[name])) for name in signature.parameters if name in arguments)
    return inspect.BoundArguments(signature, known)


def _moved(loss: Any, arguments: Arguments) -> Iterator[dict[str, Any]]:
    """The batch with its own scores in other places, and with others in their range: a threshold is no matter of order."""
    draw = torch.Generator().manual_seed(0)
    for bent in (False, True, True):
        moved = dict(arguments)
        for name in loss.scores:
            moved[name] = _permuted(moved[name], draw, bent)
        yield moved


def _permuted(scores: Any, draw: torch.Generator, bent: bool) -> Any:
    x = scores.detach() if isinstance(scores, Tensor) else torch.as_tensor(np.array(scores, dtype=float))
    mixed = x.reshape(-1)[torch.randperm(x.numel(), generator=draw)].reshape(x.shape)
    if bent and mixed.numel():
        low, high = mixed.amin(), mixed.amax()
        power = 0.3 + 2.5 * torch.rand((), generator=draw).to(mixed)
        mixed = low + (high - low) * ((mixed - low) / (high - low).clamp(min=1e-12)) ** power
    if isinstance(scores, Tensor):
        return mixed
    return mixed.numpy().astype(scores.dtype) if isinstance(scores, np.ndarray) else mixed.tolist()


def _or_none(call: Callable[[], float]) -> float | None:
    try:
        return call()
    except Exception:  # noqa: BLE001 - the user's own checks may refuse other scores
        return None


def _close(ours: float, theirs: float) -> bool:
    return math.isclose(ours, theirs, rel_tol=1e-5, abs_tol=1e-6) or (math.isnan(ours) and math.isnan(theirs))

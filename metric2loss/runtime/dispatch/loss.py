"""The loss of live code: f and g are two readings of the metric itself, run with its steps met as they are called."""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from torch import Tensor

from metric2loss import step
from metric2loss.diagnostics import MetricError
from metric2loss.runtime import opaque
from metric2loss.runtime.arguments import Arguments, filled
from metric2loss.runtime.arrays import Array
from metric2loss.runtime.batched import Unbatchable
from metric2loss.runtime.dispatch import grad_modes, python_calls
from metric2loss.runtime.dispatch.lanes import LoopUnfit
from metric2loss.runtime.dispatch.numpy_protocol import Live
from metric2loss.runtime.dispatch.places import ENTRANCES, checked
from metric2loss.runtime.dispatch.plan import Plan
from metric2loss.runtime.dispatch.reading import is_active
from metric2loss.runtime.dispatch.settle import settled
from metric2loss.runtime.dispatch.shadow import Shadows
from metric2loss.runtime.dispatch.torch_mode import TorchDispatch
from metric2loss.runtime.evaluate import Evaluator
from metric2loss.runtime.forms import Form
from metric2loss.runtime.loss import Configuration, SurrogateLoss
from metric2loss.runtime.order_invariant import Invariance
from metric2loss.runtime.tape import Tape


class DispatchedLoss(SurrogateLoss):
    """The loss of a metric that is run as it is.  A subclass names it as `metric_function`.

    plan: what was found out about the metric with the first arguments: which steps only guard, which calls are opaque.
    settled_plan: the same, where an example was given.
    """

    plan: Plan | None

    metric_function: ClassVar[Callable[..., Any]]
    settled_plan: ClassVar[Plan | None] = None
    dispatched: ClassVar[bool] = True
    felt: ClassVar[int] = 10_000

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "metric_function" in cls.__dict__:
            signature = inspect.signature(cls.metric_function)
            cls.f, cls.g = _reading_of(signature), _replay_of(signature)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.plan = self.settled_plan
        self._calls: dict[str, int] = {}
        self._met = 0  # steps of the last run
        self._scalar_loops: frozenset[str] = frozenset()
        self._forms: Mapping[str, Form] = {}

    def _bound(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Arguments:
        given = super()._bound(args, kwargs)
        self._forms = given.forms
        if self.plan is None:
            self.settle({**given.others, **_plain_scores(given)})
        return given

    def _in_its_library(self, given: Arguments, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Arguments:
        """Where neither library can run the metric as it is, the other routes decide."""
        try:
            return super()._in_its_library(given, args, kwargs)
        except MetricError as refused:
            if self.plan is not None or getattr(refused, "final", False):
                raise
            return given

    def _for_f(self, given: Arguments, scores: Mapping[str, Tensor] | None) -> dict[str, Any]:
        return {**given.others, **given.flat(scores)}  # ranks may have to stand for them before they are put together

    def settle(self, arguments: Mapping[str, Any]) -> None:
        """Finds out how the metric is to be run, on one batch."""
        self.plan = Plan()
        try:
            self.plan = settled(self, arguments)
        except BaseException:
            self.plan = None
            raise

    def report(self) -> dict[str, Any]:
        """What was decided at run time, and the last batch's numbers."""
        route = None if self.plan is None else self.plan.route
        found = {**super().report(), "route": route, "order-invariant calls": dict(self._calls)}
        return {**found, "left to run-time dispatch": "all"}

    def values_at(self, configuration: Configuration, arguments: Mapping[str, Any]) -> Callable[[Tensor], float]:
        """The metric at binaries; nan where a check of its own raises, infinite where the run fails otherwise."""
        evaluator = self._evaluator(configuration, self._bound((), arguments))
        evaluator.forgiving = False

        def value(bits: Tensor) -> float:
            try:
                return float(evaluator.at(bits.unsqueeze(0))[0])
            except Exception as error:  # noqa: BLE001 - library code at configurations it has never seen
                return float("nan") if checked(error) else float("inf")

        return value

    def _recorded_steps(self, call: inspect.BoundArguments) -> Tape:
        """Runs the metric and keeps its steps."""
        while True:
            reading = self._reading(Tape(room=count()), True)
            try:
                result = self._run(reading, _again(call))
                break
            except LoopUnfit as loop:  # begins again, with this one as it is
                self._scalar_loops |= {loop.key}
        self.mixed = is_active(self.picked(result))
        self._calls, self._met = reading.calls, sum(reading.met.values())
        return reading.finish()

    def _answered(self, binaries: Tape, call: inspect.BoundArguments) -> Any:
        """Runs the metric with its steps answered."""
        try:
            return self._run(self._reading(binaries, False), call)
        except LoopUnfit as loop:
            raise Unbatchable(f"the loop at {loop.key} meets other values than it was recorded with") from loop

    def _evaluator(self, configuration: Configuration, given: Arguments) -> Evaluator:
        """Scores stay active in g: that tells which operations are steps."""
        evaluator = super()._evaluator(configuration, given)
        active = given.flat()
        evaluator.program.arguments.update({name: active[name] for name in given.scores})
        evaluator.forgiving = True
        return evaluator

    def _asked(self, evaluator: Evaluator, at: Tensor | list[Tensor]) -> tuple[Any, Tensor | None]:
        """The user's own configurations are evaluated strictly."""
        evaluator.forgiving = False
        try:
            return super()._asked(evaluator, at)
        finally:
            evaluator.forgiving = True

    def _one_by_one(self, configuration: Configuration) -> int:
        return self._met

    def _reading(self, tree: Tape, recording: bool) -> Live:
        plan = self.plan or Plan()
        return Live(tree, recording, plan.frozen, buffers=plan.buffers, scalar_loops=self._scalar_loops)

    def _run(self, reading: Live, call: inspect.BoundArguments) -> Any:
        with grad_modes.kept_on():
            for name in self.scores:  # the metric may write into them
                call.arguments[name] = _copied(call.arguments[name])
            plan = self.plan or Plan()
            with step.reading(reading), TorchDispatch(reading), python_calls.orders_met():
                if plan.whole:
                    call.arguments.update(_ranked(reading, plan.whole, self.scores, call.arguments))
                    self._fill(call)
                    with reading.sleeping():
                        result = type(self).metric_function(*call.args, **call.kwargs)
                else:
                    self._fill(call)
                    result = reading.explained(lambda: self._shadow(plan)(*call.args, **call.kwargs))
        if reading.leaks:
            raise reading.leaks[0]
        return result

    def _fill(self, call: inspect.BoundArguments) -> None:
        """Scores that are no array, in the form the metric takes."""
        for name, form in self._forms.items():
            call.arguments[name] = filled(form, call.arguments[name])

    def _shadow(self, plan: Plan) -> Callable[..., Any]:
        key = tuple(plan.opaque)
        known = _SHADOWS.setdefault(type(self), {})
        if key not in known:
            known[key] = Shadows(plan.opaque).of(type(self).metric_function)
        return known[key]


ENTRANCES.add(DispatchedLoss._run.__code__)

_SHADOWS: WeakKeyDictionary[type, dict[Any, Callable[..., Any]]] = WeakKeyDictionary()


def _plain_scores(given: Arguments) -> dict[str, Any]:
    detached = given.for_g()
    return {name: detached[name] for name in given.scores}


def _ranked(reading: Live, whole: str, scores: tuple[str, ...], arguments: Mapping[str, Any]) -> dict[str, Any]:
    reading.label = "whole metric"
    promise = Invariance(scores, "rows" if whole == "rows" else "all")
    return opaque.counted(reading, promise, arguments, "the whole metric")


def _reading_of(signature: inspect.Signature) -> Any:
    """f, under the signature of the metric."""

    def f(self: DispatchedLoss, *args: Any, **kwargs: Any) -> Tape:
        return self._recorded_steps(signature.bind(*args, **kwargs))

    return _signed(f, signature, "self")


def _replay_of(signature: inspect.Signature) -> Any:
    """g, under the signature of the metric after the binaries."""

    def g(self: DispatchedLoss, binaries: Tape, /, *args: Any, **kwargs: Any) -> Any:
        return self._answered(binaries, signature.bind(*args, **kwargs))

    return _signed(g, signature, "self", "binaries")


def _signed(method: Any, signature: inspect.Signature, *before: str) -> Any:
    first = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in before]
    method.__signature__ = inspect.Signature([*first, *signature.parameters.values()])
    return method


def _again(call: inspect.BoundArguments) -> inspect.BoundArguments:
    """The same arguments for one more run, which may write to them."""
    return inspect.BoundArguments(call.signature, OrderedDict(call.arguments))


def _copied(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.clone()
    return Array(value.exact.copy(), value.tensor) if isinstance(value, Array) else value

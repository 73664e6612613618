"""The loss of live code: f and g are two readings of the metric itself, run with its steps met as they are called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from torch import Tensor

from metric2loss import step
from metric2loss.runtime.arguments import Arguments
from metric2loss.runtime.arrays import Array
from metric2loss.runtime.dispatch import grad_modes
from metric2loss.runtime.dispatch.numpy_protocol import Live
from metric2loss.runtime.dispatch.plan import Plan
from metric2loss.runtime.dispatch.reading import is_active
from metric2loss.runtime.dispatch.shadow import Shadows
from metric2loss.runtime.dispatch.torch_mode import TorchDispatch
from metric2loss.runtime.evaluate import Evaluator
from metric2loss.runtime.loss import Configuration, SurrogateLoss
from metric2loss.runtime.tape import Tape


class DispatchedLoss(SurrogateLoss):
    """The loss of a metric that is run as it is.  A subclass names it as `metric_function`.

    plan: what was found out about the metric with the first arguments: which steps only guard, which calls are opaque.
    """

    metric_function: ClassVar[Callable[..., Any]]
    plan: ClassVar[Plan] = Plan()
    dispatched: ClassVar[bool] = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "metric_function" in cls.__dict__:
            signature = inspect.signature(cls.metric_function)
            own = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)]
            cls.f = _signed(cls._f, signature, own)
            given = inspect.Parameter("binaries", inspect.Parameter.POSITIONAL_ONLY)
            cls.g = _signed(cls._g, signature, [*own, given])

    def _f(self, **arguments: Any) -> Tape:
        """Runs the metric and keeps its steps."""
        reading = self._reading(Tape(), True, arguments)
        result = self._run(reading, arguments)
        self.mixed = is_active(self.picked(result))
        return reading.tree

    def _g(self, binaries: Tape, **arguments: Any) -> Any:
        """Runs the metric with its steps answered."""
        return self._run(self._reading(binaries, False, arguments), arguments)

    def _evaluator(self, configuration: Configuration, given: Arguments) -> Evaluator:
        """Scores stay active in g: that tells which operations are steps."""
        evaluator = super()._evaluator(configuration, given)
        active = given.for_f()
        evaluator.program.arguments.update({name: active[name] for name in given.scores})
        return evaluator

    def _reading(self, tree: Tape, recording: bool, arguments: Mapping[str, Any]) -> Live:
        return Live(tree, recording, self.plan.frozen)

    def _run(self, reading: Live, arguments: Mapping[str, Any]) -> Any:
        with grad_modes.kept_on():
            function, args, kwargs = self._called(arguments)
            with step.reading(reading), TorchDispatch(reading):
                result = function(*args, **kwargs)
        if reading.leaks:
            raise reading.leaks[0]
        return result

    def _called(self, arguments: Mapping[str, Any]) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
        """The shadow of the metric and its arguments; scores are copies, for the metric may write into them."""
        given = {name: _copied(value) if name in self.scores else value for name, value in arguments.items()}
        bound = inspect.BoundArguments(inspect.signature(self.metric_function), given)  # type: ignore[arg-type]
        return self._shadow(), bound.args, bound.kwargs

    def _shadow(self) -> Callable[..., Any]:
        cls = type(self)
        if "_shadowed" not in cls.__dict__:
            cls._shadowed = Shadows(self.plan.opaque).of(cls.metric_function)
        return cls._shadowed  # type: ignore[no-any-return]

    _shadowed: ClassVar[Callable[..., Any]]


def _signed(method: Any, signature: inspect.Signature, before: list[inspect.Parameter]) -> Any:
    """The method under the signature of the metric."""

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return method(self, *args, **kwargs)

    call.__signature__ = inspect.Signature([*before, *signature.parameters.values()])  # type: ignore[attr-defined]
    return call


def _copied(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.clone()
    return Array(value.exact.copy(), value.tensor) if isinstance(value, Array) else value

"""Turns a live metric function into a loss class: `@surrogate` on a definition, `compile_metric` on any function."""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar, cast, overload

from metric2loss import inputs, names
from metric2loss.diagnostics import Diagnostic, MetricError
from metric2loss.live import live_source
from metric2loss.routes import Request, loss_class

if TYPE_CHECKING:
    from metric2loss.runtime import SurrogateLoss

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)
R = TypeVar("R")


class Metric(Protocol, Generic[P, R_co]):
    """A metric function with its loss; calling it is calling the function."""

    loss: LossOf

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...


class LossOf:
    """The loss of one metric, compiled when it is first asked for.  `loss()` is an instance, `loss.Loss` the class."""

    def __init__(self, metric: Callable[..., Any], request: Request) -> None:
        self._metric, self._request = metric, request
        self.__doc__ = f"The surrogate loss of `{getattr(metric, '__name__', metric)}`."

    @functools.cached_property
    def Loss(self) -> type[SurrogateLoss]:
        return loss_class(self._metric, self._request)

    @property
    def source(self) -> str:
        """The text of the generated module, the same that `metric2loss compile` writes."""
        return str(self.Loss.source)

    def __call__(self, *args: Any, **options: Any) -> SurrogateLoss:
        return self.Loss(*args, **options)

    def __repr__(self) -> str:
        return f"<loss of {getattr(self._metric, '__qualname__', self._metric)}>"


@overload
def surrogate(metric: Callable[P, R], /) -> Metric[P, R]: ...
@overload
def surrogate(
    *,
    scores: str | tuple[str, ...] | None = None,
    targets: str | tuple[str, ...] | None = None,
    direction: names.Direction | None = None,
    returns: str | int | Callable[..., Any] | None = None,
    ideal: Callable[..., Any] | None = None,
    example: inputs.Example | None = None,
) -> Callable[[Callable[P, R]], Metric[P, R]]: ...
def surrogate(metric: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Gives a metric function a `.loss`; the function itself is left exactly as it is.

    @surrogate                                       everything is found out
    @surrogate(scores="logits", returns="accuracy")  some of it is said

    scores, targets: parameter names.  direction: "maximize" or "minimize".  returns: key, index or callable that picks
    the metric from a result of several values.  ideal: a function of the targets that returns perfect scores.
    example: the arguments of one batch, tried at once.  Nothing is compiled before `.loss` is used.
    """

    def attach(function: Callable[P, R]) -> Metric[P, R]:
        decorated = cast("Metric[P, R]", function)
        try:
            decorated.loss = LossOf(function, _request(**options))
        except AttributeError:  # a function written in C takes no attributes
            live_source(function)  # says so
            raise
        return decorated

    return attach if metric is None else attach(metric)


def compile_metric(
    metric: Callable[..., Any] | str,
    *,
    scores: str | tuple[str, ...] | None = None,
    targets: str | tuple[str, ...] | None = None,
    direction: names.Direction | None = None,
    returns: str | int | Callable[..., Any] | None = None,
    ideal: Callable[..., Any] | None = None,
    example: inputs.Example | None = None,
) -> type[SurrogateLoss]:
    """The loss class of a metric: a function, a `functools.partial` of one, or "package.module:name".

    The options are those of `surrogate`.  Raises MetricError with every reason when the metric is refused.
    """
    function = _imported(metric) if isinstance(metric, str) else metric
    return loss_class(function, _request(scores, targets, direction, returns, ideal, example))


def _request(
    scores: str | tuple[str, ...] | None = None,
    targets: str | tuple[str, ...] | None = None,
    direction: names.Direction | None = None,
    returns: str | int | Callable[..., Any] | None = None,
    ideal: Callable[..., Any] | None = None,
    example: inputs.Example | None = None,
) -> Request:
    if direction not in (None, "maximize", "minimize"):
        raise ValueError(f"direction is {direction!r}; it must be 'maximize', 'minimize' or None")
    return Request(_tuple(scores), _tuple(targets), direction, returns, ideal, example)


def _tuple(given: str | tuple[str, ...] | None) -> tuple[str, ...] | None:
    return (given,) if isinstance(given, str) else None if given is None else tuple(given)


def _imported(name: str) -> Callable[..., Any]:
    """The function called "package.module:name"."""
    module, _, path = name.partition(":")
    hint = 'Write "package.module:function".'
    if not module or not path:
        raise MetricError(Diagnostic("M2L109", None, f"{name!r} does not name a function", "It has no colon.", hint))
    try:
        found = functools.reduce(getattr, path.split("."), import_module(module))
    except (ImportError, AttributeError) as error:
        raise MetricError(Diagnostic("M2L109", None, f"{name!r} cannot be imported", f"{error}.", hint)) from error
    return cast("Callable[..., Any]", found)

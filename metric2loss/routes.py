"""Chooses how a live metric becomes a loss: its own text compiled, or the metric run as it is with its steps met.

The text is compiled where it can be read and the result is exact on the example; everything else (a library's function, a
method, a lambda, code that hands scores to a library) is dispatched.  What neither can do is refused at its line.
"""

from __future__ import annotations

import copy
import functools
import importlib
import inspect
import linecache
import sys
import traceback
import types
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metric2loss import inputs, loading, names
from metric2loss._version import VERSION
from metric2loss.diagnostics import Diagnostic, MetricError, Span
from metric2loss.live import LiveSource, called, free_names, live_source, unbound

if TYPE_CHECKING:
    from metric2loss.compiler import Compiled, MetricReport
    from metric2loss.runtime import SurrogateLoss

CALLABLE = "<callable>"  # what the generated text says where no key or index picks the metric; `load` puts it in
_FINAL = ("M2L104", "M2L105", "M2L109", "M2L111")  # what another route would not change
_SEVERAL = "M2L106"  # one return of several: another route may find that it is not taken
_MANY = 100  # steps of one run of its own text, above which running the metric as it is may be faster
_FEWER = 20  # times fewer steps
_WITHOUT_TEXT = ("M2L110", "M2L113")


@dataclass(frozen=True)
class Request:
    """What the user said about a metric beside its text; None means: find out."""

    scores: tuple[str, ...] | None = None
    targets: tuple[str, ...] | None = None
    direction: names.Direction | None = None
    returns: str | int | Callable[..., Any] | None = None
    ideal: Callable[..., Any] | None = None
    example: inputs.Example | None = None


def loss_class(metric: Callable[..., Any], request: Request) -> type[SurrogateLoss]:
    """The loss class of a live metric, by the first route that holds."""
    metric = called(metric)
    if request.example is not None:
        inputs.bind(metric, request.example)
    try:
        loss = compiled_loss(metric, request)
    except MetricError as refusal:
        if not (_may_dispatch(refusal) and _runs_as_it_is(metric, refusal)):
            raise
        return _dispatched(_Attempt(metric, request), refusal)
    if request.example is None:
        return loss
    dispatched = _Attempt(metric, request)
    at_once = _at_once(loss, dispatched, request.example)
    if at_once is not None:
        return at_once
    try:
        criterion = loss()
        doubt = _doubt(criterion, metric, request.example)
    except MetricError as error:
        doubt = error
    if doubt is not None:
        return _dispatched(dispatched, doubt)
    return _telling_entries_apart(criterion, dispatched, request.example)


class _Attempt:
    """The metric run as it is: tried when it is asked for, and once."""

    def __init__(self, metric: Callable[..., Any], request: Request) -> None:
        self.metric, self.request = metric, request
        self._found: type[SurrogateLoss] | MetricError | None = None

    def __call__(self) -> type[SurrogateLoss]:
        if self._found is None:
            try:
                self._found = dispatched_loss(self.metric, self.request)
            except MetricError as error:
                self._found = error
        if isinstance(self._found, MetricError):
            raise self._found
        return self._found


def _at_once(loss: type[SurrogateLoss], dispatched: _Attempt, example: inputs.Example) -> type[SurrogateLoss] | None:
    """The metric run as it is, where its own text executes many steps one by one that are one step there."""
    arguments = inputs.bind(dispatched.metric, example)
    try:
        steps = loss().executed(**arguments)
        if steps < _MANY:
            return None
        found = dispatched()
        whole = getattr(getattr(found, "settled_plan", None), "whole", "")
        return found if not whole and found().executed(**arguments) * _FEWER <= steps else None
    except MetricError:
        return None


def _telling_entries_apart(
    criterion: SurrogateLoss, dispatched: _Attempt, example: inputs.Example
) -> type[SurrogateLoss]:
    """The loss's class, or the one of the metric run as it is where only that knows which entries of a table are scores."""
    from metric2loss.runtime.selfcheck import operands  # torch: importing metric2loss stays light

    loss, metric = type(criterion), dispatched.metric
    if not operands.constant(criterion, inputs.bind(metric, example)):
        return loss
    try:
        found = dispatched()
        return loss if operands.constant(found(), inputs.bind(metric, example)) else found
    except MetricError:
        return loss


def _may_dispatch(refusal: MetricError) -> bool:
    codes = {found.code for found in refusal.diagnostics}
    known = codes - {_SEVERAL}
    return bool(known) and not known & set(_FINAL) and all(code in _WITHOUT_TEXT or code[3] in "2345" for code in known)


def _runs_as_it_is(metric: Callable[..., Any], refusal: MetricError) -> bool:
    """Whether there is Python code to run: a function, a method of an object, an object that is called."""
    function, _ = unbound(metric)
    if isinstance(function, types.FunctionType):
        without = any(found.code in _WITHOUT_TEXT for found in refusal.diagnostics)
        has_lines = bool(linecache.getlines(function.__code__.co_filename, function.__globals__))
        return not without or function.__code__.co_name == "<lambda>" or not has_lines
    if isinstance(function, types.MethodType):
        return not isinstance(function.__self__, type)
    return not isinstance(function, type) and isinstance(vars(type(function)).get("__call__"), types.FunctionType)


def _doubt(loss: SurrogateLoss, metric: Callable[..., Any], example: inputs.Example) -> MetricError | None:
    """Why the compiled loss is not right on the example; None when it is."""
    from metric2loss.runtime.selfcheck import compiling  # torch: importing metric2loss stays light

    return compiling(loss, inputs.bind(metric, example), metric)


def _dispatched(dispatched: _Attempt, refusal: MetricError) -> type[SurrogateLoss]:
    """The metric run as it is; what refused its text is said when that is refused too."""
    try:
        return dispatched()
    except MetricError as error:
        _tried_alone(dispatched.metric, dispatched.request)
        if all(found.code[3] in "13" for found in refusal.diagnostics):
            raise error from refusal
        raise refusal from error


def _tried_alone(metric: Callable[..., Any], request: Request) -> None:
    """Raises where the metric itself fails on the example: nothing of ours is to blame."""
    if request.example is None:
        return
    args, named = inputs.arguments(request.example)
    try:
        args, named = copy.deepcopy((args, named))
    except Exception:  # noqa: BLE001 - it may hold what cannot be copied
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            metric(*args, **named)
    except Exception as error:
        message = f"the metric itself fails on the example: {type(error).__name__}: {error}"
        hint = "Call the metric with the example until it returns a value; then compile it."
        raise MetricError(Diagnostic("M2L111", _raised_at(error), message, "", hint)) from error


def _raised_at(error: BaseException) -> Span | None:
    """The line that raised, outside of this package."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    return Span(frames[-1].filename, frames[-1].lineno or 1) if frames else None


# --- by its text


def compiled_loss(metric: Callable[..., Any], request: Request) -> type[SurrogateLoss]:
    """The loss generated from the metric's text."""
    source = live_source(metric)
    scores = request.scores or inputs.scores_by_kind(metric, request.example)
    compiled, report = _compiled(source, scores, request)
    attributes = _attributes(request)
    if source.bound:
        attributes["bound"] = source.bound
    stem = loading.stem_of(source.path, source.function)

    def loaded(attributes: Mapping[str, Any]) -> type[SurrogateLoss]:
        return loading.load(loading.generated_module(stem, compiled.text, report.class_name, source.given, attributes))

    try:
        loss = loaded(attributes)
        if (
            loss.library is None and _library(None, loss.scores, request) == "numpy"
        ):  # the example says what the text does not
            loss = loaded({**attributes, "library": "numpy"})
        return loss
    except Exception as error:  # lines of the user's module, copied: their names may come from `import *`
        why = f"{type(error).__name__}: {error}."
        hint = "Import the names it uses one by one."
        message = f"the text of `{source.function}` does not run on its own"
        raise MetricError(Diagnostic("M2L203", None, message, why, hint)) from error


def _attributes(request: Request) -> dict[str, Any]:
    """What no text can say."""
    attributes: dict[str, Any] = {}
    if callable(request.returns):
        attributes["returns"] = staticmethod(request.returns)
    if request.ideal is not None:
        attributes["ideal"] = staticmethod(request.ideal)
    return attributes


def _compiled(source: LiveSource, scores: tuple[str, ...] | None, request: Request) -> tuple[Compiled, MetricReport]:
    returns = CALLABLE if callable(request.returns) else request.returns
    return _compile_once(source.text, source.path, source.function, scores, request.targets, request.direction, returns)


@functools.lru_cache(maxsize=256)
def _compile_once(
    text: str,
    path: str,
    function: str,
    scores: tuple[str, ...] | None,
    targets: tuple[str, ...] | None,
    direction: names.Direction | None,
    returns: str | int | None,
) -> tuple[Compiled, MetricReport]:
    from metric2loss.compiler import Options, compile_text  # libcst: importing metric2loss stays light

    compiled = compile_text(text, path, Options((function,), scores, targets, direction, returns))
    return compiled, compiled.metrics[0]


# --- as it is


def dispatched_loss(metric: Callable[..., Any], request: Request) -> type[SurrogateLoss]:
    """The loss that runs the metric as it is."""
    function, bound = unbound(metric)
    scores = _scores(metric, request)
    name = getattr(function, "__name__", type(function).__name__)
    if name in ("forward", "__call__") and isinstance(function, types.MethodType):
        name = type(function.__self__).__name__
    name = name if name.isidentifier() else "metric"
    home = _home(function, name)
    text = _text(name, home, function, scores, request, _library(function, scores, request))
    attributes = _attributes(request)
    if bound:
        attributes["bound"] = bound
    given = {} if home else {name: function}
    loss = loading.load(loading.generated_module(f"{name}_loss", text, names.class_name(name), given, attributes))
    if request.example is not None:
        from metric2loss.runtime.selfcheck import compiling  # torch: importing metric2loss stays light

        criterion: Any = loss()
        criterion.settle(inputs.bind(metric, request.example))
        loss.settled_plan = criterion.plan  # type: ignore[attr-defined]
        doubt = compiling(criterion, inputs.bind(metric, request.example))
        if doubt is not None:
            raise doubt
    return loss


def _scores(metric: Callable[..., Any], request: Request) -> tuple[str, ...]:
    if request.scores:
        return request.scores
    by_kind = inputs.scores_by_kind(metric, request.example)
    if by_kind:
        return by_kind
    parameters = inspect.signature(metric).parameters
    optional = {name for name, parameter in parameters.items() if parameter.default is not parameter.empty}
    found = names.find_scores(tuple(parameters), optional)
    if isinstance(found, names.Undecided):
        hint = f"Say which it is: scores={found.candidates[0]!r}." if found.candidates else "Give it a score parameter."
        raise MetricError(
            Diagnostic("M2L104", None, f"no parameter of {metric!r} is known to be the score", found.why, hint)
        )
    return found


def _library(metric: Any, scores: tuple[str, ...], request: Request) -> str | None:
    """The library of the scores in the example; without one, that of the metric's code."""
    if request.example is None:
        return _library_named(metric)
    _, given = inputs.arguments(request.example)
    kinds = {type(given[name]).__module__.partition(".")[0] for name in scores if name in given}
    return "torch" if "torch" in kinds else "numpy" if kinds else None


def _library_named(function: Any) -> str | None:
    """The library that a function's code names, torch before numpy; else the only one that its module imports."""
    if not isinstance(function, types.FunctionType):
        return None
    named = _libraries(value for _, value in free_names(function))
    imported = _libraries(function.__globals__.values())
    return named[0] if named else imported[0] if len(imported) == 1 else None


def _libraries(values: Iterable[object]) -> list[str]:
    roots = {value.__name__.partition(".")[0] for value in values if isinstance(value, types.ModuleType)}
    return [library for library in ("torch", "numpy") if library in roots]


def _home(function: Any, name: str) -> str:
    """The module to import the function from; "" when it is not to be had by import."""
    home = getattr(function, "__module__", None) or ""
    if not home or home == "__main__" or home not in sys.modules:
        return ""
    return home if getattr(importlib.import_module(home), name, None) is function else ""


def _text(name: str, home: str, function: Any, scores: tuple[str, ...], request: Request, library: str | None) -> str:
    direction = request.direction or names.find_direction(name)
    returns = f"    returns = {request.returns!r}\n" if isinstance(request.returns, (str, int)) else ""
    says = (
        (inspect.getdoc(function) or f"The loss of `{name}`.")
        .strip()
        .splitlines()[0]
        .replace('"""', "'''")
        .rstrip("\\")
    )
    source = f"from {home} import {name}\n" if home else ""
    return (
        f'"""Surrogate loss for `{name}`{f" ({home})" if home else ""}. Generated by metric2loss {VERSION}.\n\n'
        "The metric runs as it is: its steps are met as they are called.\n"
        '"""\n\n'
        f"{source}{chr(10) if source else ''}from metric2loss.runtime.dispatch import DispatchedLoss\n\n\n"
        f"class {names.class_name(name)}(DispatchedLoss):\n"
        f'    """{says}"""\n\n'
        f"    direction, scores, library = {direction!r}, {scores!r}, {library!r}\n"
        f"{returns}    metric_function = staticmethod({name})\n"
    )

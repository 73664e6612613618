"""Turns what a user gives as an example (arguments, an .npz file, module:function) into the arguments of one batch."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from metric2loss import names
from metric2loss.diagnostics import Diagnostic, MetricError

if TYPE_CHECKING:
    from metric2loss.runtime import SurrogateLoss

Arguments: TypeAlias = tuple[Any, ...] | Mapping[str, Any]
Example: TypeAlias = Arguments | Callable[[], Arguments]

_HINT = "Give FILE.npz with arrays named like the parameters, or module:function that returns the arguments."


def arguments(example: Example) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional and named arguments of one batch."""
    given = example() if callable(example) else example
    if isinstance(given, Mapping):
        return (), dict(given)
    if isinstance(given, tuple | list):
        return tuple(given), {}
    why = f"It is a {type(given).__name__}; a tuple of arguments or a dict by parameter name is needed."
    raise MetricError(Diagnostic("M2L111", None, "the example does not hold arguments", why, _HINT))


def bind(function: Callable[..., Any], example: Example) -> dict[str, Any]:
    """The arguments by parameter name, defaults included; refused when they do not fit the function."""
    return _bind(getattr(function, "__name__", "the metric"), inspect.signature(function), example)


def bind_to_loss(loss: type[SurrogateLoss], example: Example) -> dict[str, Any]:
    """The same for a loss class, whose `f` has the signature of the metric."""
    signature = inspect.signature(loss.f)
    own = list(signature.parameters.values())[1:]  # without self
    return _bind(loss.__name__, signature.replace(parameters=own), example)


def _bind(name: str, signature: inspect.Signature, example: Example) -> dict[str, Any]:
    args, kwargs = arguments(example)
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        why = f"{str(error)[:1].upper()}{str(error)[1:]}."
        raise MetricError(
            Diagnostic("M2L111", None, f"the example does not fit {name}{signature}", why, _HINT)
        ) from None
    bound.apply_defaults()
    return dict(bound.arguments)


def read_example(text: str) -> Example:
    """What `--example` names: the arrays of an .npz file, or what a function returns."""
    if text.endswith(".npz"):
        return _from_file(Path(text))
    module, _, name = text.rpartition(":")
    if not module or not name.isidentifier():
        why = "It is neither an .npz file nor module:function."
        raise MetricError(Diagnostic("M2L111", None, f"cannot read the example {text!r}", why, _HINT))
    if os.getcwd() not in sys.path:  # as `python -m` would
        sys.path.insert(0, os.getcwd())
    try:
        found = getattr(import_module(module), name)
        return found() if callable(found) else found  # type: ignore[no-any-return]
    except Exception as error:  # the user's own code runs here; whatever it raises is the reason
        why = f"{type(error).__name__}: {error}"
        raise MetricError(Diagnostic("M2L111", None, f"cannot get the example {text!r}", why, _HINT)) from error


def scores_by_kind(metric: Callable[..., Any], example: Example | None) -> tuple[str, ...] | None:
    """The one parameter that holds real numbers in the example, when the names do not tell which is the score."""
    if example is None:
        return None
    parameters = inspect.signature(metric).parameters
    optional = {name for name, parameter in parameters.items() if parameter.default is not parameter.empty}
    if not isinstance(names.find_scores(tuple(parameters), optional), names.Undecided):
        return None
    values = bind(metric, example)
    targets = names.find_targets(tuple(parameters), ())
    real = tuple(name for name, value in values.items() if name not in targets and _holds_reals(value))
    return real if len(real) == 1 else None


def try_on(loss: type[SurrogateLoss], example: Example) -> SurrogateLoss:
    """A criterion that has seen the example once, with scores that ask for a gradient."""
    args, kwargs = arguments(example)
    criterion = loss()
    criterion(*args, **kwargs)
    return criterion


def _holds_reals(value: object) -> bool:
    if isinstance(value, Mapping):
        return bool(value) and all(_holds_reals(part) or isinstance(part, float) for part in value.values())
    dtype = getattr(value, "dtype", None)
    return "float" in str(dtype) and bool(getattr(value, "ndim", 0))


def _from_file(path: Path) -> Mapping[str, Any]:
    import numpy as np  # the command line starts without it

    try:
        with np.load(path) as arrays:
            return {name: array if array.ndim else array.item() for name, array in arrays.items()}
    except (OSError, ValueError) as error:
        why = f"{getattr(error, 'strerror', None) or error}."
        raise MetricError(Diagnostic("M2L111", None, f"cannot read the example {path}", why, _HINT)) from None

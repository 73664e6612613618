"""From what a loss is called with to what f and g get: scores active, everything else in the metric's own library."""

from __future__ import annotations

import inspect
import math
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metric2loss.runtime.arrays import Array
from metric2loss.runtime.failures import failure
from metric2loss.runtime.forms import Form, flattened, is_nested, of_torch


@dataclass(frozen=True)
class Arguments:
    """One call: by name, the scores as autograd tensors and all other arguments as given."""

    scores: Mapping[str, Tensor]
    others: Mapping[str, Any]
    library: str
    device: torch.device  # of the scores as given: the loss is returned there
    forms: Mapping[str, Form] = field(
        default_factory=dict
    )  # of scores that are no array: how to put them together again
    tensors: bool = False  # whether a score was given as one
    shared: bool = False  # whether scores may be the caller's own memory, which nobody may write into

    def for_f(self, scores: Mapping[str, Tensor] | None = None) -> dict[str, Any]:
        """Active scores: for a NumPy metric an Array that holds both the exact ndarray and the tensor."""
        flat = self.flat(scores)
        return {**self.others, **(self.filled(flat) if self.forms else flat)}

    def flat(self, scores: Mapping[str, Tensor] | None = None) -> dict[str, Any]:
        """The same, scores alone, those that are no array as one flat array."""
        found = self.scores if scores is None else scores
        if self.library == "torch":
            return dict(found)
        return {name: Array(self._exact(x), x) for name, x in found.items()}

    def _exact(self, x: Tensor) -> np.ndarray:
        exact = x.detach().numpy()
        if self.shared:
            exact = exact.view()
            exact.flags.writeable = False
        return exact

    def copied(self) -> Arguments:
        """The same with scores that may be written into."""
        return replace(self, scores={name: x.clone() for name, x in self.scores.items()}, shared=False)

    def filled(self, flat: Mapping[str, Any]) -> dict[str, Any]:
        """Scores in the form the metric takes."""
        return {name: filled(self.forms.get(name), x) for name, x in flat.items()}

    def for_g(self) -> dict[str, Any]:
        """Scores detached, in the metric's library."""
        detached = {name: x.detach() for name, x in self.scores.items()}
        given = detached if self.library == "torch" else {name: x.numpy() for name, x in detached.items()}
        return {**self.others, **self.filled(given)}

    def targets(self) -> dict[str, Any]:
        """The other arguments, those that are numbers in bulk as tensors."""
        found = {name: _as_numbers(value) for name, value in self.others.items()}
        for form in self.forms.values():
            aligned = {name: form.aligned(value) for name, value in self.others.items()}
            found.update({name: value for name, value in aligned.items() if value is not None})
        return found


def filled(form: Form | None, x: Any) -> Any:
    """A flat array of scores in their form; numbers that are plain become Python's."""
    if form is None:
        return x
    return form.filled(x, float) if isinstance(x, np.ndarray) else form.filled(x)


@cache
def signature_of(function: Callable[..., Any]) -> inspect.Signature:
    """The signature without self."""
    found = inspect.signature(function)
    return found.replace(parameters=list(found.parameters.values())[1:])


@cache
def after_first(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the parameters after self and one more."""
    return tuple(signature_of(function).parameters)[1:]


@cache
def plain_names(function: Callable[..., Any]) -> tuple[str, ...] | None:
    """The parameters, where a value for each can be given by place; None with `*args`, `**options` or named-only ones."""
    parameters = signature_of(function).parameters.values()
    ordinary = all(parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD for parameter in parameters)
    return tuple(parameter.name for parameter in parameters) if ordinary else None


def spread(function: Callable[..., Any], values: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Values by name as positional and named arguments: `*targets` and `**options` are handed on as such."""
    names = plain_names(function)
    if names is not None and len(names) == len(values):
        return tuple(values[name] for name in names), {}
    call = inspect.BoundArguments(signature_of(function), OrderedDict(values))
    return call.args, call.kwargs


def bound(owner: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Arguments:
    """Binds a call to the user's signature, as f has it."""
    arguments = _by_name(owner, args, kwargs)
    tensors = any(of_torch(arguments[name]) for name in owner.scores)
    library = owner.library or _library_of(arguments, owner.scores, tensors)
    forms: dict[str, Form] = {}
    for name in owner.scores:
        if is_nested(arguments[name]):
            arguments[name], forms[name] = _flat(name, arguments[name])
    shared = library == "numpy" and not owner.writes
    scores = {name: _score(name, arguments[name], library, shared) for name in owner.scores}
    first = arguments[owner.scores[0]] if owner.scores else None
    device = first.device if isinstance(first, Tensor) else torch.device("cpu")
    others = {name: value for name, value in arguments.items() if name not in scores}
    if library == "numpy":
        others = {name: _as_numpy(value) for name, value in others.items()}
    return Arguments(scores, others, library, device, forms, tensors, shared)


def _by_name(owner: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call with the defaults of the others."""
    names = plain_names(type(owner).f)
    if names is not None and len(args) == len(names) and not kwargs:
        return dict(zip(names, args, strict=True))
    signature = signature_of(type(owner).f)
    given = {name: value for name, value in owner.bound.items() if name in signature.parameters and name not in kwargs}
    try:
        call = signature.bind_partial(*args, **kwargs)
        call.arguments.update({name: value for name, value in given.items() if name not in call.arguments})
        call = signature.bind(*call.args, **call.kwargs)
    except TypeError as error:
        raise failure(
            "M2L503", f"{type(owner).__name__}: {error}", hint=f"call it as the metric: {signature}"
        ) from None
    call.apply_defaults()
    return call.arguments


def _library_of(arguments: Mapping[str, Any], scores: tuple[str, ...], tensors: bool) -> str:
    """That of the arguments: a model's scores are tensors whatever the metric is written for, its targets are not."""
    others = [value for name, value in arguments.items() if name not in scores]
    if any(isinstance(value, np.ndarray) for value in others) and not any(of_torch(value) for value in others):
        return "numpy"
    return "torch" if tensors else "numpy"


def _flat(name: str, given: Any) -> tuple[Tensor, Form]:
    try:
        return flattened(given)
    except TypeError as error:
        raise failure("M2L503", f"{name!r} cannot be read as scores: {error}") from None


def _score(name: str, given: Any, library: str, shared: bool) -> Tensor:
    """A float tensor that requires grad: the given one's graph is kept when there is one, its memory if it is `shared`."""
    try:
        x = given if isinstance(given, Tensor) else torch.as_tensor(_dense(given))
    except (TypeError, ValueError) as error:
        raise failure("M2L503", f"{name!r} cannot be read as an array of scores: {error}") from None
    if x.is_complex():
        raise failure("M2L503", f"{name!r} is complex; scores are real numbers")
    if not x.numel():
        raise failure("M2L502", f"{name!r} is empty", "a metric of no examples has no gradient", "skip empty batches")
    if not x.is_floating_point():
        x = x.double()
    if library == "numpy":
        x = x.cpu() if x.dtype in (torch.float32, torch.float64) else x.cpu().float()
    # a finite sum has finite terms; an infinite one may be an overflow
    numbers = x.detach()
    if not math.isfinite(numbers.sum().item()) and not bool(torch.isfinite(numbers).all()):
        broken = int((~torch.isfinite(numbers)).sum())
        raise failure(
            "M2L501",
            f"{broken} of {x.numel()} entries of {name!r} are nan or infinite",
            "an order or a comparison with nan is no order, and infinite scores have no differences",
            "look at the model's outputs; replace masked scores by a finite number such as -1e4",
        )
    if x.requires_grad and torch.is_grad_enabled():
        return x if shared else x.clone()  # lines of the metric may write into it
    return x.detach().clone().requires_grad_()


def _dense(given: Any) -> np.ndarray:
    if isinstance(given, (list, tuple)) and any(isinstance(part, Tensor) for part in given):
        return torch.stack([torch.as_tensor(part) for part in given])  # type: ignore[return-value]
    array = np.asarray(given)
    if array.dtype == object:
        raise TypeError("its rows have different lengths, or its entries are no numbers")
    return np.array(array)


def _as_numpy(value: Any) -> Any:
    if isinstance(value, Tensor):
        x = value.detach().cpu()
        return (x.float() if x.dtype in (torch.bfloat16,) else x).numpy()
    if type(value) in (list, tuple):
        return type(value)(_as_numpy(part) for part in value)
    if type(value) is dict:
        return {key: _as_numpy(part) for key, part in value.items()}
    return value


def _as_numbers(value: Any) -> Any:
    if isinstance(value, (list, tuple, np.ndarray)):
        try:
            return torch.as_tensor(np.array(value)) if len(value) else value
        except (TypeError, ValueError, RuntimeError):
            return value
    return value

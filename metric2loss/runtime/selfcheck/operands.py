"""Checks that a binary means the same wherever it is read: the same steps, comparing the same scores, at any configuration."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from metric2loss.diagnostics import MetricError, Span
from metric2loss.runtime.problem import Configuration
from metric2loss.runtime.selfcheck.finding import REPORT, Finding
from metric2loss.runtime.selfcheck.subject import Arguments, Subject
from metric2loss.runtime.selfcheck.values import named, same_steps, signs_of
from metric2loss.runtime.unseen import UnseenStep

_PLACES, _HALVINGS = 6, 20


def stay(subject: Subject) -> Finding:
    """the operands do not drift."""
    here = subject.here()
    if (wrong := signs_of(here)) > 0:
        why = f"{wrong} of {len(here.flat)} binaries are not the sign of their difference."
        return Finding(False, "drift", why, REPORT, "M2L511")
    for how in ("inner", "one", "inner"):
        moved = subject.moved(how)
        if subject.value_or_none(moved) is None:
            continue
        there = subject.record(moved)
        reason = same_steps(_without_ranges(here), _without_ranges(there))
        if reason:
            return _drift(subject, f"At other scores, {reason}.", reason)
    ways = subject.amounts.paths
    for _ in range(ways):
        key = _jump(subject, subject.moved("inner"))
        if key is not None:
            why = f"{named(key)}: other scores are compared although no binary variable has changed."
            return _drift(subject, why, named(key))
    return Finding(
        True, f"{len(here.sites)} {'step' if len(here.sites) == 1 else 'steps'}, {ways} ways to other scores"
    )


def constant(loss: Any, arguments: Arguments) -> bool:
    """Whether the differences of some step owe nothing to the scores: a column of labels beside them was taken for scores."""
    leaves = [leaf for leaf in loss.record(**arguments).leaves() if leaf.stop > leaf.start]
    scores, differences = loss.differences(**arguments)
    draw = torch.Generator().manual_seed(0)
    weights = torch.rand(differences.shape, generator=draw, dtype=torch.float64).to(differences)
    for leaf in leaves:
        part = (differences * weights)[leaf.start : leaf.stop].sum()
        found = torch.autograd.grad(part, list(scores.values()), retain_graph=True, allow_unused=True)
        if not any(gradient is not None and bool((gradient != 0).any()) for gradient in found):
            return True
    return False


def _drift(subject: Subject, why: str, place: str) -> Finding:
    hint = "Let no plain value decide which scores are compared: compare all of them, and choose among the outcomes."
    return Finding(False, "drift", why, hint, "M2L511", _line(subject, place))


def _line(subject: Subject, place: str) -> Span | None:
    """The user's line, where the name of the step says it."""
    where = getattr(subject.loss, "line_of", None)
    return None if where is None else where(place)


def _without_ranges(configuration: Configuration) -> Any:
    """The range of a rounding is the data's."""
    sites = tuple((key, layout) for key, layout in configuration.sites if layout.kind != "rounding")
    return replace(configuration, sites=sites)


def _jump(subject: Subject, there: Arguments) -> Any:
    """The step whose differences jump on the way to other scores while every binary stays; None where there is none.

    Differences are continuous in the scores as long as the earlier steps that pick the operands say the same.
    """
    shares = np.linspace(0.0, 1.0, _PLACES + 1).tolist()
    found = [subject.record(subject.between(there, share)) for share in shares]
    changes = [_largest(a, b)[0] for a, b in pairwise(found)]
    place = int(np.argmax(changes))
    low, high, first, last = shares[place], shares[place + 1], found[place], found[place + 1]
    least = 0.02 * changes[place]  # what is continuous halves with the way
    for _ in range(_HALVINGS):
        if _largest(first, last)[0] <= least:
            return None
        middle = subject.record(subject.between(there, (low + high) / 2))
        if _largest(first, middle)[0] >= _largest(middle, last)[0]:
            high, last = (low + high) / 2, middle
        else:
            low, first = (low + high) / 2, middle
    same = same_steps(first, last) == "" and bool((first.flat == last.flat).all())
    return _largest(first, last)[1] if same else None


def _largest(one: Configuration, other: Configuration) -> tuple[float, Any]:
    """The largest change of a difference, and the step it belongs to."""
    best: tuple[float, Any] = (0.0, None)
    for (key, _), a, b in zip(one.sites, one.differences, other.differences):
        if a.shape == b.shape and a.size:
            with np.errstate(invalid="ignore"):
                change = float(np.nan_to_num(np.abs(a - b), nan=0.0, posinf=0.0).max())
            best = max(best, (change, key), key=lambda entry: entry[0])
    return best


def total(subject: Subject) -> Finding:
    """every configuration has a value."""
    recorded = subject.here()
    size, amount = len(recorded.flat), subject.amounts.configurations
    broken, values = 0, []
    for number in range(amount):
        chosen = torch.rand(size, generator=subject.draw) < (number + 1) / (amount + 1)
        near = torch.rand(size, generator=subject.draw) < 2 / max(size, 2)
        bits = chosen.numpy() if number % 2 else recorded.flat ^ near.numpy()
        try:
            values.append(subject.replay(recorded.with_flat(bits), subject.arguments))
        except Exception as error:  # noqa: BLE001 - the user's lines run at scores that may not exist
            cause = error.__cause__ or error
            if isinstance(cause, (UnseenStep, MetricError)):
                return _drift(subject, f"At another configuration, {cause}.", str(cause))
            broken += 1
    finite = [value for value in values if math.isfinite(value)]
    seen = f"{amount} tried" + (f", values {min(finite):.4g} to {max(finite):.4g}" if finite else "")
    without = amount - len(finite)
    notes = [f"{without} without a value, {broken} of them refused by the metric"] if without else []
    why = f"Of {amount} configurations none has a finite value."
    hint = "Guard the division that can be by zero, as in `if tp == 0: return 0.0`."
    return Finding(bool(finite), "; ".join([seen, *notes]), why, hint, "M2L505")

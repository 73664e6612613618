"""Checks of what training sees: the gradient, and the configuration it pulls toward."""

from __future__ import annotations

import math
from typing import Any

import torch

from metric2loss.runtime import forms
from metric2loss.runtime.selfcheck.finding import Finding
from metric2loss.runtime.selfcheck.subject import Subject


def gradient(subject: Subject) -> Finding:
    """the gradient is finite."""
    given: dict[str, Any] = dict(subject.arguments)
    leaves: dict[str, torch.Tensor] = {}
    for name in subject.loss.scores:
        leaves[name], given[name] = _asking(given[name])
    loss = subject.loss(**given)
    loss.backward()
    found: list[Any] = [leaves[name].grad for name in subject.loss.scores]
    if any(one is None for one in found):
        hint = "Name the scores with scores= (--scores) when compiling."
        return Finding(False, "no gradient", "The loss does not depend on one of the score parameters.", hint)
    norm = math.sqrt(sum(float(one.double().square().sum()) for one in found))
    best = math.isclose(float(subject.loss.metric), float(subject.loss.best_value), rel_tol=1e-6, abs_tol=1e-9)
    value = float(loss.detach())
    passed = math.isfinite(norm) and math.isfinite(value) and (norm > 0 or best)
    why = f"The loss is {value!r}, the norm of its gradient {norm!r}."
    return Finding(passed, f"loss {value:.4g}, gradient norm {norm:.4g}", why)


def reached(subject: Subject) -> Finding:
    """differences move with the scores."""
    for place in range(3):
        scores, flat = subject.loss.differences(**(subject.moved("bent") if place else subject.arguments))
        if not len(flat):
            return Finding(None, "no binary variables")
        if flat.requires_grad:
            weights = torch.rand(len(flat), generator=subject.draw).to(flat)
            found = torch.autograd.grad((flat * weights).sum(), list(scores.values()), allow_unused=True)
            if any(one is not None and bool(one.any()) for one in found):
                return Finding(True, "they do")
    why = "No score moves a difference: what is compared had been written over by constants, as in `p[p > 0.5] = 1`."
    hint = "Compute the 0s and 1s into a new array: `np.where(p > 0.5, 1, 0)`."
    return Finding(False, "they do not", why, hint, "M2L203")


def _asking(scores: Any) -> tuple[torch.Tensor, Any]:
    """A tensor that asks for a gradient, and the scores in their form made of it."""
    nested = forms.is_nested(scores)
    made = (forms.flattened(scores)[0] if nested else torch.as_tensor(scores)).detach()
    leaf = (made if made.is_floating_point() else made.double()).clone().requires_grad_()
    return leaf, forms.like(scores, leaf, plain=False) if nested else leaf


def best(subject: Subject) -> Finding:
    """no scores tried beat the best."""
    problem = subject.problem()
    if not problem.size:
        return Finding(None, "no binary variables")
    if subject.loss.mixed:
        return Finding(None, "does not apply: scores also reach the result as real numbers")
    values = [subject.value(subject.arguments), *(subject.value_or_none(moved) for moved in subject.untied())]
    known = [problem.sign * value for value in values if value is not None and math.isfinite(value)]
    reached = max(known, default=-math.inf)
    value = float(problem.best_value)
    beaten = sum(one > problem.sign * value + 1e-6 * max(1.0, abs(value)) for one in known)
    allowed = 0 if subject.thorough else len(known) // 4  # the best is guessed: what most random scores beat is wrong
    passed = math.isfinite(value) and beaten <= allowed
    if not known and not math.isfinite(value):
        return Finding(None, "the metric is undefined on this batch")
    why = f"Random scores reach {problem.sign * reached!r}, the best configuration found gives {value!r}."
    hint = "Say which scores are perfect: compile_metric(..., ideal=lambda targets: scores), or give the direction."
    return Finding(passed, f"{value:.6g}", why, hint, "M2L512")

"""Checks that the loss computes the metric: here, at other scores, at many configurations at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch

from metric2loss.runtime import prune
from metric2loss.runtime.late import Once
from metric2loss.runtime.problem import Configuration
from metric2loss.runtime.selfcheck.finding import REPORT, Finding
from metric2loss.runtime.selfcheck.paths import edge
from metric2loss.runtime.selfcheck.subject import Arguments, Subject, value_of

__all__ = ["batched", "exact", "has_step", "interchangeable", "replayed", "same_steps", "swapped", "value_of"]


def has_step(subject: Subject) -> Finding:
    """there is a step."""
    amount = len(subject.here().flat)
    why = "No comparison, sort, argmax or rounding of a score stands between the scores and the result on this batch."
    hint = "Use the metric as a loss as it is, or give a batch in which a score reaches a step."
    return Finding(amount > 0, f"{amount:,} binary variables", why, hint, "M2L201")


def exact(subject: Subject) -> Finding:
    """metric(x) == criterion.metric."""
    ours, theirs = float(subject.problem().metric), subject.value(subject.arguments)
    return Finding(subject.close(ours, theirs), f"{ours:.6g}", f"The metric gives {theirs!r}, we {ours!r}.", REPORT)


def replayed(subject: Subject) -> Finding:
    """replay(record(x), x) == metric(x)."""
    configuration = subject.record(subject.arguments)
    ours = subject.replay(configuration.with_flat(configuration.flat), subject.arguments)
    theirs = subject.value(subject.arguments)
    why = f"The metric is {theirs!r}, replaying its own binaries gives {ours!r}."
    return Finding(subject.close(ours, theirs), f"{ours:.6g}", why, REPORT)


def swapped(subject: Subject) -> Finding:
    """replay(record(x'), x) == metric(x')."""
    if subject.loss.mixed:
        return _crossed(subject)
    other = subject.shuffled()
    bases = [(subject.arguments, subject.here)] * 2
    bases += bases[:1] if other is None else [(other, Once(partial(subject.record, other)))]
    tried = alone = 0
    for place, moved in enumerate(subject.others()):
        base, recorded = bases[place % 3]
        moved = {**base, **{name: moved[name] for name in subject.loss.scores}}
        theirs = subject.value_or_none(moved)
        if theirs is None:
            continue
        ours, same = _replayed_here(subject, base, recorded(), moved)
        tried, alone = tried + 1, alone + (not same)
        if not subject.close(ours, theirs):
            why = f"At other scores x' the metric is {theirs!r}, replaying their binaries at x gives {ours!r}."
            return Finding(False, "differs", why, "A step of the metric was missed; report it with the metric.")
    detail = f"{tried} other sets of scores" + (f", {alone} of them with other steps" if alone else "")
    return Finding(True if tried else None, detail)


def _replayed_here(subject: Subject, base: Arguments, here: Configuration, moved: Arguments) -> tuple[float, bool]:
    """The value at x of the binaries of x', and whether the steps are the same.

    Nothing but 0 and 1 may carry over: what the configuration of x' knows beside its binaries is left behind.
    """
    there = subject.record(moved)
    same = same_steps(here, there) == ""
    carry = same and (_kept_alike(here, there) or (subject.distinct(base) and subject.distinct(moved)))
    return subject.replay((here if carry else there).with_flat(there.flat), base), same


def _crossed(subject: Subject) -> Finding:
    """SWAP where scores also reach the result as real numbers: across a jump, x and x' are as good as equal."""
    jumps = 0
    for _ in range(max(1, subject.amounts.paths)):
        wrong, jump = _across(subject, _along(subject, subject.moved("inner")))
        jumps += jump
        if wrong:
            return Finding(False, "differs", wrong, "A step of the metric was missed; report it with the metric.")
    return Finding(True, f"x' next to x across {jumps} {'jump' if jumps == 1 else 'jumps'}: also a smooth path")


def _across(subject: Subject, at: Callable[[float], dict[str, Any]]) -> tuple[str, bool]:
    """What is wrong on one way to other scores, and whether the metric jumps there."""
    configuration = subject.here()
    fine = (8, 18) if subject.amounts.paths else (4, 8)  # a dear metric is looked at roughly
    held, _, _ = edge(lambda share: subject.replay(configuration, at(share)), *fine)
    if held:
        return f"While all binaries stay as they are, the value jumps by {held:.3g} on the way to other scores.", True
    jump, low, high = edge(lambda share: _valued(subject, at(share)), *fine)
    if not jump:
        return "", False
    theirs = _valued(subject, at(high))
    ours = subject.replay(_carried(subject, at(low), at(high)), at(low))
    if abs(ours - theirs) <= 0.05 * jump:
        return "", True
    return f"At scores x' next to x the metric is {theirs!r}, replaying their binaries at x gives {ours!r}.", True


def _along(subject: Subject, there: Arguments) -> Callable[[float], dict[str, Any]]:
    return lambda share: subject.between(there, share)


def _valued(subject: Subject, arguments: Arguments) -> float:
    found = subject.value_or_none(arguments)
    return float("nan") if found is None else found


def _carried(subject: Subject, low: Arguments, high: Arguments) -> Configuration:
    here, there = subject.record(low), subject.record(high)
    return here.with_flat(there.flat) if same_steps(here, there) == "" else there


def same_steps(here: Configuration, there: Configuration) -> str:
    """Why the binaries of one configuration mean nothing in the other; "" where they stand for the same comparisons."""
    if [key for key, _ in here.sites] != [key for key, _ in there.sites]:
        return "other steps are executed"
    for (key, one), (_, other) in zip(here.sites, there.sites, strict=True):
        if one.kind != other.kind:
            return f"{named(key)}: {one.kind} became {other.kind}"
        if getattr(one, "ops", ()) != getattr(other, "ops", ()):
            return f"{named(key)}: another operator compares"
        if not one.same_as(other):
            return f"{named(key)}: other operands are compared"
    return ""


def _kept_alike(here: Configuration, there: Configuration) -> bool:
    """Whether what has no binaries says the same: which ranks are tied, what a guard decided."""
    pairs = [(a, b) for (_, a), (_, b) in zip(here.sites, there.sites) if a.kind == "fixed"]
    return all(torch.equal(a.outcome, b.outcome) for a, b in pairs)  # type: ignore[attr-defined]


def named(key: Any) -> str:
    """The place of a step as text."""
    return str(key[0]) if key and isinstance(key[0], str) and len(key) == 3 else ".".join(map(str, key)) or "the step"


def batched(subject: Subject) -> Finding:
    """many at once == one by one."""
    problem = subject.problem()
    if not problem.size:
        return Finding(None, "no binary variables")
    way = str(subject.loss.batching)
    if problem.looped:
        return Finding(None, way)
    amount = subject.amounts.configurations
    bits = (torch.rand(amount, problem.size, generator=subject.draw) < 0.5).to(problem.bits.device)
    flips = torch.rand(amount, problem.size, generator=subject.draw).argsort(1)[:, :2].to(bits.device)
    dense = torch.stack([_turned(problem.bits, line) for line in flips])
    together = torch.cat([problem.values_of(bits), problem.values(problem.bits, flips)])
    alone = torch.cat([problem.values_of(line.unsqueeze(0)) for line in torch.cat([bits, dense])])
    if not torch.allclose(together, alone, rtol=1e-5, atol=1e-6, equal_nan=True):
        apart = float((together - alone).abs().nan_to_num(0.0).max())
        return Finding(False, way, f"They differ by up to {apart:.3g} ({way}).", REPORT)
    if problem.n_rows > 1:
        means = problem.row_values_of(bits).mean(1)
        if not torch.allclose(means, alone[:amount], rtol=1e-5, atol=1e-6, equal_nan=True):
            apart = float((means - alone[:amount]).abs().nan_to_num(0.0).max())
            return Finding(False, way, f"The mean of the rows and the metric differ by up to {apart:.3g}.", REPORT)
    return Finding(True, way)


def _turned(bits: torch.Tensor, flips: torch.Tensor) -> torch.Tensor:
    turned = bits.clone()
    known = flips[flips >= 0]
    turned[known] = ~bits[known]
    return turned


def interchangeable(subject: Subject) -> Finding:
    """like items are interchangeable."""
    problem = subject.problem()
    pruned = sum(prune.pruned(leaf.layout) for leaf in problem.leaves)
    if not pruned:
        return Finding(None, "every item has a place of its own")
    why = "Exchanging two items that were taken to be alike changes the metric."
    again = not subject.thorough  # the first batch was probed before it was used
    return Finding(
        prune.holds(problem, again), f"in {pruned} {'step' if pruned == 1 else 'steps'}", why, REPORT, "M2L506"
    )


def signs_of(configuration: Configuration) -> int:
    """How many binaries are not the sign of their difference."""
    wrong = 0
    for bits, c in zip(configuration.bits, configuration.differences, strict=True):
        clear = np.isfinite(c) & (np.abs(c) > 1e-6 * max(1.0, float(np.abs(c[np.isfinite(c)]).max(initial=0.0))))
        wrong += int(((c > 0) != bits)[clear].sum())
    return wrong

"""Checks on numbers what pruning took for granted: items of one class may trade places without g noticing."""

from __future__ import annotations

import torch
from torch import Tensor

from metric2loss.runtime.layouts import ChooseLayout, Layout, MarginLayout, OrderLayout
from metric2loss.runtime.problem import Problem

_CONTEXTS = 6
_AGAIN = 2  # contexts of a probe that is not the first


def pruned(layout: Layout) -> bool:
    """Whether some items of the layout are taken to be interchangeable."""
    if isinstance(layout, OrderLayout):
        return not layout.all_distinct
    return isinstance(layout, (ChooseLayout, MarginLayout)) and layout.is_index and not layout.all_distinct


def holds(problem: Problem, again: bool = False) -> bool:
    """Whether g is the same after random trades inside classes, in random contexts; fewer of them where it has held before."""
    if not any(pruned(leaf.layout) for leaf in problem.leaves):
        return True
    draw = torch.Generator().manual_seed(int(again))
    contexts = _AGAIN if again else _CONTEXTS
    before: list[Tensor] = []
    after: list[Tensor] = []
    for leaf in problem.leaves:
        one, other = _traded(leaf.layout, draw, contexts)
        before.append(one)
        after.append(other)
    outcomes = [torch.cat(pair) for pair in zip(before, after, strict=True)]
    many = [True] * len(outcomes)
    try:
        values = problem.evaluator.evaluated(outcomes, many, 2 * contexts)
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError):
        return True  # the metric refuses random orders: the assumption stands
    return torch.allclose(values[:contexts], values[contexts:], rtol=1e-6, atol=1e-9, equal_nan=True)


def _traded(layout: Layout, draw: torch.Generator, contexts: int) -> tuple[Tensor, Tensor]:
    """Outcomes of random configurations, and the same with items of equal class exchanged."""
    if not pruned(layout):
        bits = torch.rand(contexts, layout.size, generator=draw) < 0.5
        outcomes = layout.result(bits.to(layout.device))
        return outcomes, outcomes
    assert isinstance(layout, (OrderLayout, ChooseLayout, MarginLayout))
    classes = layout.classes.expand(contexts, -1, -1)
    first = _shuffled(classes, draw)
    again = _shuffled(classes, draw)
    # places in order of the class that stands there, and items in order of their class: matched, classes keep their places
    places = torch.argsort(torch.gather(classes, 2, first), dim=-1, stable=True)
    items = torch.gather(again, 2, torch.argsort(torch.gather(classes, 2, again), dim=-1, stable=True))
    second = torch.empty_like(first).scatter_(2, places, items)
    return layout.placed(first), layout.placed(second)


def _shuffled(classes: Tensor, draw: torch.Generator) -> Tensor:
    return torch.rand(classes.shape, generator=draw).to(classes.device).argsort(-1)

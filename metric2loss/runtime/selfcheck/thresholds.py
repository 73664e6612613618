"""Finds the values at which scores are as large as what they are compared with, so that ties can be tried there."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

_PICKS = 8  # differences that are looked at
_ROUNDS = 3  # of the secant method: where probabilities are compared, differences are logits


def thresholds(subject: Any) -> dict[str, Tensor]:
    """By score parameter, values that make a difference zero; rounded, for thresholds are written by people."""
    given, c = subject.loss.differences(**subject.arguments)
    if not len(c) or not c.requires_grad:
        return {}
    names = list(given)
    scores = [given[name] for name in names]
    places = torch.randperm(len(c), generator=torch.Generator().manual_seed(0))[:_PICKS].tolist()
    picked: dict[tuple[int, int], tuple[int, float, float]] = {}  # score -> difference, its value, its slope
    for place in places:
        slopes = torch.autograd.grad(c[place], scores, retain_graph=True, allow_unused=True)
        number, at, slope = _steepest(slopes)
        if slope and (number, at) not in picked:
            picked[number, at] = place, float(c[place].detach()), slope
    flat = [x.detach().reshape(-1).double().clone() for x in scores]
    found: dict[str, list[float]] = {name: [] for name in names}
    for (number, at), value in _solved(subject, names, flat, scores, picked).items():
        low, high = float(flat[number].min()), float(flat[number].max())
        if low - 1e-9 <= value <= high + 1e-9:
            found[names[number]].append(round(value, 6))
    return {name: torch.tensor(sorted(set(values))) for name, values in found.items() if values}


def _steepest(slopes: Any) -> tuple[int, int, float]:
    best = (0, 0, 0.0)
    for number, slope in enumerate(slopes):
        if slope is not None and slope.numel():
            at = int(slope.abs().argmax())
            if abs(float(slope.reshape(-1)[at])) > abs(best[2]):
                best = number, at, float(slope.reshape(-1)[at])
    return best


def _solved(subject: Any, names: Any, flat: Any, scores: Any, picked: Any) -> dict[tuple[int, int], float]:
    """The secant method for all picked differences together, each in the score that moves it most."""
    before = {key: (float(flat[key[0]][key[1]]), c) for key, (_, c, _) in picked.items()}
    now = {key: before[key][0] - c / slope for key, (_, c, slope) in picked.items()}
    for _ in range(_ROUNDS):
        moved = dict(subject.arguments)
        for number, name in enumerate(names):
            x = flat[number].clone()
            for (which, at), value in now.items():
                if which == number:
                    x[at] = value
            moved[name] = subject.like(name, x.reshape(scores[number].shape).to(scores[number].dtype))
        try:
            every = torch.as_tensor([c for part in subject.record(moved).differences for c in part.reshape(-1)])
        except Exception:  # noqa: BLE001 - the metric may refuse such scores
            return now
        for key, (place, _, _) in picked.items():
            if place < len(every):
                (x0, c0), x1, c1 = before[key], now[key], float(every[place])
                before[key] = x1, c1
                now[key] = x1 if c1 == c0 else x1 - c1 * (x1 - x0) / (c1 - c0)
    return now

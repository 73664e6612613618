"""A small network learned beside the model to rank configurations as the metric does (ReLoss, Huang et al. 2022).

    maximise ρ_S(N(b), g(b)) over sampled configurations b;  the loss is (N(best) − N(u)) · std g / std N,  u = sigmoid(c / τ)

ρ_S is Spearman's correlation with soft ranks r_i = Σ_j sigmoid((N_i − N_j) / T).  Only the order of configurations is learned,
not their values; `fit="value"` fits values by squared error instead, for comparison.  Every batch takes `samples` evaluations
of g and `inner` steps of Adam on the network.  Its weights are buffers: part of `state_dict`, never of `parameters()`.

Use it for remainders too dear for single flips: the cost does not grow with the number of binaries.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from metric2loss.runtime.factored import Problem, drawn
from metric2loss.runtime.interpolants.nodes import Nodes
from metric2loss.runtime.interpolants.protocol import joined, nothing
from metric2loss.runtime.interpolants.spearman import correlation, exact

_HIDDEN = 16
_SHAPES = {
    "features": (Nodes.FEATURES, _HIDDEN),
    "shift": (_HIDDEN,),
    "context": (2 * _HIDDEN, _HIDDEN),
    "bias": (_HIDDEN,),
    "out": (_HIDDEN,),
    "agreement": (1,),
}


class Relational(nn.Module):
    """N(b) is the mean agreement with the best configuration plus what a set network over its items has learned.

    An item (a ranked example, a candidate, an element) is described by the share of its binaries that agree with the best
    configuration, its class and its size; the network is the same for every order of items and rows.
    """

    name: ClassVar[str] = "relational"
    weights: Tensor
    first: Tensor
    second: Tensor
    steps: Tensor

    def __init__(self, samples: int = 32, inner: int = 4, rate: float = 0.01, fit: str = "rank") -> None:
        super().__init__()
        if fit not in ("rank", "value"):
            raise ValueError(f'fit is "rank" or "value", not {fit!r}')
        self.samples, self.inner, self.rate, self.fit = samples, inner, rate, fit
        self.notes: tuple[str, ...] = ()
        start = _initial()
        self.register_buffer("weights", start)
        self.register_buffer("first", torch.zeros_like(start))
        self.register_buffer("second", torch.zeros_like(start))
        self.register_buffer("steps", torch.tensor(0))

    def forward(self, problem: Problem) -> Tensor:
        """The distance of the network's value from its value at the best configuration, in units of the metric."""
        if not len(problem.best):
            return nothing(problem)
        nodes = Nodes.of(problem)
        configurations, values = self._sampled(problem)
        weights = self.weights.to(problem.bits.device, torch.double)
        with torch.enable_grad():
            if problem.differences.requires_grad and self.training:
                weights = self._learned(weights, nodes, configurations, values)
            return self._loss(problem, weights, nodes, configurations, values)

    def _sampled(self, problem: Problem) -> tuple[Tensor, Tensor]:
        """Agreements with the best configuration [S, L], and sign · g there: [S, rows]."""
        agrees = problem.bits == problem.best
        u = _agreement(problem)
        amount = max(self.samples - 2, 2)
        # a third each: on the way to the best configuration, away from it, and around the current one
        t = drawn(problem, amount, 1).double() * 2 - 1
        chance = torch.where(t > 0, u + t * (1 - u), u * (1 + t))
        near = torch.where(agrees, 1.0, 0.0) * 0.9 + 0.05
        chance = torch.where((torch.arange(amount, device=t.device) % 3 == 0).unsqueeze(1), near, chance)
        drawn_ones = drawn(problem, amount, len(u)).double() < chance
        every = torch.cat([agrees.unsqueeze(0), torch.ones_like(agrees).unsqueeze(0), drawn_ones])
        bits = every == problem.best
        values = problem.values_of(bits).unsqueeze(1) if problem.row_of is None else problem.row_values_of(bits)
        values = problem.sign * values.double()
        return every.double(), torch.where(torch.isfinite(values), values, 0.0)

    def _learned(self, weights: Tensor, nodes: Nodes, at: Tensor, values: Tensor) -> Tensor:
        """A few steps of Adam; the weights are kept."""
        first, second = self.first.to(weights), self.second.to(weights)
        step = int(self.steps)
        for _ in range(self.inner):
            step += 1
            active = weights.detach().requires_grad_()
            (slope,) = torch.autograd.grad(self._objective(_values(active, nodes, at), values), active)
            slope = slope.nan_to_num()
            first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
            scale = (second / (1 - 0.999**step)).sqrt() + 1e-8
            weights = weights.detach() - self.rate * (first / (1 - 0.9**step)) / scale
        for buffer, new in ((self.weights, weights), (self.first, first), (self.second, second)):
            buffer.copy_(new)
        self.steps.fill_(step)
        return weights

    def _objective(self, found: Tensor, values: Tensor) -> Tensor:
        if self.fit == "rank":
            return -correlation(found, values).mean()
        ahead = values - values[1:2]  # of the best configuration
        return ((found - found[1:2] - ahead / ahead.abs().amax().clamp(min=1e-12)) ** 2).mean()

    def _loss(self, problem: Problem, weights: Tensor, nodes: Nodes, at: Tensor, values: Tensor) -> Tensor:
        weights = weights.detach()
        with torch.no_grad():
            sampled = _values(weights, nodes, at)
            scale = self._scale(sampled, values)
            rho = exact(sampled.mean(1), values.mean(1))
            self.notes = (f"rank correlation with the metric on {len(at)} configurations: {rho:.2f}",)
        u = _agreement(problem).requires_grad_()
        behind = ((sampled[1] - _values(weights, nodes, u.unsqueeze(0))[0]) * scale).mean()
        (slope,) = torch.autograd.grad(behind, u)
        slope = slope * u.detach() * (1 - u.detach()) / problem.temperature
        slope = torch.where(problem.best, slope, -slope)
        return joined(behind.detach().abs(), (problem.differences, slope))

    def _scale(self, found: Tensor, values: Tensor) -> Tensor:
        """From units of the network to those of the metric, per row or, where a row is mute, over all."""
        if self.fit == "value":
            return (values - values[1:2]).abs().amax().clamp(min=1e-12).expand(found.shape[1])
        return values.std() / found.std().clamp(min=1e-6) * torch.ones_like(found[0])


def _agreement(problem: Problem) -> Tensor:
    """The probability that each relaxed binary agrees with the best configuration."""
    c = problem.differences.detach().double() / problem.temperature
    return torch.sigmoid(torch.where(problem.best, c, -c))


def _initial() -> Tensor:
    """Small random weights, and an output that is the mean agreement alone."""
    draw = torch.Generator().manual_seed(0)
    parts = {name: torch.randn(shape, generator=draw, dtype=torch.double) * 0.5 for name, shape in _SHAPES.items()}
    parts["out"], parts["agreement"] = parts["out"] * 0, torch.ones(1, dtype=torch.double)
    return torch.cat([part.reshape(-1) for part in parts.values()])


def _named(weights: Tensor) -> dict[str, Tensor]:
    found, start = {}, 0
    for name, shape in _SHAPES.items():
        size = int(torch.Size(shape).numel())
        found[name] = weights[start : start + size].reshape(shape)
        start += size
    return found


def _values(weights: Tensor, nodes: Nodes, agreement: Tensor) -> Tensor:
    """N of configurations given by their agreements [S, L]: [S, rows]."""
    w = _named(weights)
    hidden = torch.tanh(nodes.described(agreement) @ w["features"] + w["shift"])
    around = nodes.spread(nodes.pooled(hidden))
    hidden = torch.tanh(torch.cat([hidden, around], -1) @ w["context"] + w["bias"])
    found: Tensor = nodes.pooled(hidden) @ w["out"] + w["agreement"] * nodes.mean(agreement)
    return found

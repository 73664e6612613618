"""SurrogateLoss: turns scores and targets into a loss, through f, the binaries and g of a generated subclass."""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from metric2loss.runtime import interpolants, order_statistics, prune, rows, undefined
from metric2loss.runtime.arguments import Arguments
from metric2loss.runtime.best import BestConfiguration
from metric2loss.runtime.distributed import Peers
from metric2loss.runtime.evaluate import Batching, number
from metric2loss.runtime.factoring import Factoring
from metric2loss.runtime.failures import failure, warned
from metric2loss.runtime.lenient import Lenient
from metric2loss.runtime.memory import ScoreMemory
from metric2loss.runtime.problem import Configuration, Problem, flat_differences
from metric2loss.runtime.randomness import Randomness
from metric2loss.runtime.settings import ENCODINGS, Settings
from metric2loss.runtime.split import Split

__all__ = ["Configuration", "Problem", "SurrogateLoss"]

_SIGNS = {"maximize": 1, "minimize": -1}


class _Source:
    """The text of the module a loss class stands in."""

    def __get__(self, loss: SurrogateLoss | None, owner: type[SurrogateLoss]) -> str:
        return inspect.getsource(sys.modules[owner.__module__])


class SurrogateLoss(Factoring):
    """The loss of a metric.  A generated subclass has `f`, `g` and, for a mean over rows, `rows`.

    `forward` takes the metric's own arguments and returns a 0-d tensor >= 0, 0 at the best configuration.  `metric` is the
    exact value of that batch, in the user's units and sign.

    interpolant: how exact metric values become a gradient, a name in `runtime.interpolants`.  total_steps: length of the
    training, for what follows a schedule; without it `progress` is 0.5 until set.  generator: for what is drawn.  anchors, power:
    of inverse distance weighting.  ideal: targets -> scores at which the metric is best, if it is not found without.
    encoding: the binaries of choose steps, "pairs" of candidates (the paper's), or one a class of outcomes, its best against
    the best of the rest ("margin") or with log-sum-exp for best ("margin-lse", a softmax probability).  memory: so many
    earlier scores and targets join the batch.  process_group: the batches of all its ranks are one.  Other options are those
    of the interpolant.
    """

    direction: ClassVar[str | None] = None
    mixed: bool = False
    source = _Source()

    taken: Tensor
    credit: Tensor  # the interpolant's running mean, nan before it has one: kept here to be part of the state

    def __init__(
        self,
        interpolant: str = "integrated",
        *,
        total_steps: int | None = None,
        temperature: float = 1.0,
        generator: torch.Generator | None = None,
        anchors: int = 16,
        power: float = 1.0,
        ideal: Callable[..., Any] | None = None,
        encoding: str = "pairs",
        memory: int = 0,
        process_group: Any = None,
        **options: float | str,
    ) -> None:
        super().__init__()
        if encoding not in ENCODINGS:
            raise ValueError(f"no encoding is named {encoding!r}; there are {', '.join(ENCODINGS)}")
        self.interpolant = interpolant
        self.temperature = temperature
        self.total_steps = total_steps
        if ideal is not None:
            self.ideal = ideal
        self.register_buffer("progress", torch.tensor(0.0 if total_steps else 0.5, dtype=torch.float64))
        self.register_buffer("taken", torch.tensor(0))
        self.register_buffer("credit", torch.tensor(math.nan, dtype=torch.float64))
        self._interpolant = interpolants.named(interpolant, anchors=anchors, power=power, **options)
        self._random = Randomness(generator)
        self._best = BestConfiguration(None if self.direction is None else _SIGNS[self.direction])
        self._settings = Settings(encoding=encoding)
        self._memory = ScoreMemory(memory) if memory else None
        self._peers = Peers(process_group) if process_group is not None else None
        self._batching = {"g": Batching(), "rows": Batching()}
        self._separable: str | None = None  # None: not looked at; "": yes; else why not
        self._probed = False
        self._told_of_loops = False
        self._selfless: set[Any] = set()  # programs in which no score is compared with itself
        self._guesses = 0  # batches on which a supposed pruning was used
        self._seen: dict[str, Any] = {}

    # --- what a training loop uses

    def forward(self, *args: Any, **kwargs: Any) -> Tensor:
        """The loss at this batch; its gradient reaches the scores."""
        return self._losses((self._interpolant,), args, kwargs)[0]

    def alongside(self, other: interpolants.Interpolant, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """The loss of another interpolant and this loss, from one factored batch."""
        first, second = self._losses((other, self._interpolant), args, kwargs)
        return first, second

    def _losses(self, by: Sequence[interpolants.Interpolant], args: Any, kwargs: Mapping[str, Any]) -> list[Tensor]:
        self._step_forward()
        given = self._bound(args, kwargs)
        if given.forms and (self._peers is not None or self._memory is not None):
            raise failure(
                "M2L503",
                f"{next(iter(given.forms))!r} is no array, and batches of such scores cannot be joined",
                "memory= and process_group= put scores of several batches together",
                "leave them out, or give the metric arrays",
            )
        here = given if self._peers is None else self._peers.gathered(given)
        joined = here if self._memory is None else self._memory.joined(here)
        problem = self._solved(joined)
        if self._memory is not None:
            self._memory.check(problem, type(self).__name__)
            if self.training and torch.is_grad_enabled():
                self._memory.keep(here)
        found = [self._surrogate(interpolant, problem, joined).to(given.device) for interpolant in by]
        for loss in found:
            if not math.isfinite(loss.item()):
                what = f"the loss of {type(self).__name__} is {float(loss)}"
                raise failure("M2L505", what, f"metric {problem.metric}")
        return found

    def problem(self, *args: Any, **kwargs: Any) -> Problem:
        """The factored batch with its best configuration: what interpolants see."""
        return self._solved(self._bound(args, kwargs))

    def record(self, *args: Any, **kwargs: Any) -> Configuration:
        """The configuration of the user's own operations at these arguments."""
        given = self._bound(args, kwargs)
        tree = self._recorded(given) if self._probed else None
        if tree is None or (self._settings.guessed and not self._guesses):
            self._probed_problem(given)
            tree = self._recorded(given)
        return Configuration.of(tree).detached()

    def differences(self, *args: Any, **kwargs: Any) -> tuple[Mapping[str, Tensor], Tensor]:
        """The scores and all score differences, in one graph."""
        given = self._bound(args, kwargs)
        return given.scores, flat_differences(self._recorded(given), next(iter(given.scores.values())).device)

    def replay(self, configuration: Configuration, *args: Any, **kwargs: Any) -> Tensor:
        """The exact metric at a configuration: a 0-d float64 tensor; only the booleans of the configuration are read."""
        given = self._bound(args, kwargs)
        evaluator = self._evaluator(configuration, given)
        bits = [leaf.bits.to(evaluator.device) for leaf in configuration.recorded]
        whole = torch.cat(bits) if bits else torch.zeros(0, dtype=torch.bool, device=evaluator.device)
        values: Tensor = self._asked(evaluator, whole.unsqueeze(0))[0]
        return values[0]

    @property
    def metric(self) -> Tensor:
        """The exact metric of the last batch: detached, 0-d, the user's units and sign."""
        return self._last("metric")  # type: ignore[no-any-return]

    @property
    def binaries(self) -> int:
        """Number of binary variables of the last batch."""
        return self._last("binaries")  # type: ignore[no-any-return]

    @property
    def best_value(self) -> float:
        """The metric at the best configuration of the last batch."""
        return self._last("best_value")  # type: ignore[no-any-return]

    @property
    def batching(self) -> str:
        """How g is evaluated at many configurations: "vmap", "loop" or "undecided", and why."""
        return str(self._batching["g"])

    def report(self) -> dict[str, Any]:
        """What was decided at run time, and the last batch's numbers."""
        return {
            **{name: self._last(name) for name in self._seen},
            "direction": self.direction or {1: "maximize", -1: "minimize"}.get(self._best.sign or 0),
            "best found by": self._best.how,
            "left to run-time dispatch": 0,  # steps: f and g of own code hold all of theirs
            "interpolant": self.interpolant,
            "credit": getattr(self._interpolant, "chosen", "") or None,
            "notes": (
                *getattr(self._interpolant, "notes", ()),
                *((order_statistics.NOTE,) if self._settings.cuts else ()),
            ),
            "batching": self.batching,
            "separable": self._separable == "" if self._separable is not None else None,
            "not separable because": self._separable or None,
            "pruned": self._settings.prune,
        }

    # --- from arguments to a problem

    def _solved(self, given: Arguments) -> Problem:
        """The problem with its best configuration; made anew when a pruning fails or a rounding range was too small."""
        problem = self._probed_problem(given)
        ranges = dict(self._settings.ranges)
        found = self._best(problem)
        if self._settings.ranges != ranges:
            problem = self._probed_problem(given)
            found = self._best(problem)
        problem.best, problem.best_value, problem.sign = found.bits, found.value, found.sign
        if found.winners is not None and problem.size:
            layout = problem.leaves[0].layout
            encoding = self._settings.encoding if layout.kind == "margin" else "pairs"
            problem.split = Split(layout.keys.to(problem.device), found.winners, problem.temperature, encoding)
            problem.best_rows = found.rows
        undefined.counted(problem)
        self._seen.update(metric=problem.metric, binaries=problem.size, best_value=found.value)
        return problem

    def _probed_problem(self, given: Arguments) -> Problem:
        problem = self._factored(given)
        if problem.size and self._probe_is_due():
            again, self._probed = self._probed, True
            if not prune.holds(problem, again):
                self._settings.suppose = False
                problem = self._factored(given)
                if not prune.holds(problem):
                    self._settings.prune = False
                    warned(
                        "M2L506",
                        f"{type(self).__name__}: items taken to be interchangeable are not; all pairs are used from now on",
                        "exchanging two of them changed the metric",
                        "nothing to do; the loss is exact, with more binaries",
                    )
                    problem = self._factored(given)
        self._separate(problem)
        return problem

    def _probe_is_due(self) -> bool:
        """At the first batch; where items are only supposed to be interchangeable, also at the 2nd, 4th, 8th … such batch."""
        if not self._settings.guessed:
            return not self._probed
        self._guesses += 1
        return self._guesses & (self._guesses - 1) == 0

    def _separate(self, problem: Problem) -> None:
        """Fills the rows of a separable metric, once they have been found to be rows."""
        if not hasattr(self, "rows") or not problem.size or self._separable:
            return
        if self._separable is None:
            self._separable = rows.separated(problem)
            return
        amount = self._amount_of_rows(problem)
        if len(problem.leaves) == 1 and rows.regular(problem, amount):
            evaluator = (
                problem.evaluator
            )  # a function that held the problem would keep its tensors until the next collection
            problem.row_of, problem.n_rows = (lambda: rows.row_of_binaries(evaluator, amount)), amount
            return
        problem.row_of = rows.row_of_binaries(problem.evaluator, amount)
        problem.n_rows = amount if problem.row_of is not None else 1

    def _amount_of_rows(self, problem: Problem) -> int:
        if problem.rows is not None:
            return len(problem.rows)
        return problem.evaluator.at(problem.bits.unsqueeze(0), "rows").shape[1]

    # --- from a problem to a loss

    def _surrogate(self, interpolant: interpolants.Interpolant, problem: Problem, given: Arguments) -> Tensor:
        if not (math.isfinite(problem.worth) and math.isfinite(problem.best_value)):
            return _nothing(
                given
            )  # undefined on this batch whatever the scores (no positive in it …): it teaches nothing
        found = self._asked_with_state(interpolant, problem)
        if self._best.seen(problem, problem.met - problem.sign * problem.best_value):
            warned(
                "M2L512",
                f"{type(self).__name__}: a configuration beats the best one found, {problem.best_value:.6g}",
                f"the metric is {problem.sign * problem.met:.6g} at a configuration met in training; later batches search again",
                "give the direction, or say which scores are perfect: ideal=lambda targets: scores",
            )
        if isinstance(found, tuple):
            value, gradient = found
            through = (problem.differences * gradient.to(problem.differences)).sum()
            found = value.to(through) + through - through.detach()
        if self.mixed and math.isfinite(problem.metric):
            found = found + self._remainder(problem, given)
        dtype = next(iter(given.scores.values())).dtype
        if len(given.scores) == 1 and found.requires_grad:
            return found if found.dtype == dtype else found.to(dtype)
        return found.to(dtype) + _nothing(given).to(found.device, dtype)

    def _asked_with_state(self, interpolant: interpolants.Interpolant, problem: Problem) -> Tensor:
        """The interpolant's answer; its running mean comes from the state and goes back to it."""
        if not isinstance(interpolant, interpolants.Integrated):
            return interpolant(problem)
        before = self.credit.item()
        interpolant.typical = None if math.isnan(before) else before
        found = interpolant(problem)
        if interpolant.typical is not None and interpolant.typical != before:
            self.credit.fill_(interpolant.typical)
        return found

    def _remainder(self, problem: Problem, given: Arguments) -> Tensor:
        """Zero, with the gradient of g by the scores that reach it as real numbers, at the current binaries."""
        program = problem.evaluator.program
        leaves, bits = problem.leaves, problem.bits
        program.source.current = [leaf.layout.result(bits[leaf.start : leaf.stop].unsqueeze(0))[0] for leaf in leaves]
        active = self._for_f(given, None)
        with torch.enable_grad():
            result = program.run("g", {name: active[name] for name in given.scores}, Lenient(self))
            value = number(self.value_of(result), problem.evaluator.device).mean()
        smooth = -problem.sign * value
        return torch.nan_to_num(smooth - smooth.detach())

    # --- state

    def get_extra_state(self) -> dict[str, Any]:
        """What the interpolant knows of earlier batches, beside the buffers; part of `state_dict()`."""
        known = self._interpolant
        return known.remembered() if isinstance(known, interpolants.Integrated) else {}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """The same from another loss of the metric."""
        if isinstance(self._interpolant, interpolants.Integrated):
            self._interpolant.remember(state)

    def _step_forward(self) -> None:
        """Progress from the steps taken, when the length of the training is known."""
        if self.total_steps and self.training and torch.is_grad_enabled():
            self.progress.fill_(min(float(self.taken) / self.total_steps, 1.0))
            self.taken += 1

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "progress" and not isinstance(value, Tensor):
            self.progress.fill_(float(value))
        else:
            super().__setattr__(name, value)

    def _last(self, name: str) -> Any:
        if name not in self._seen:
            raise failure(
                "M2L504",
                f"{name!r} is known after the first batch",
                hint="call the loss on a batch before asking for it",
            )
        found = self._seen[name]
        return torch.tensor(found, dtype=torch.float64) if name == "metric" else found

    def extra_repr(self) -> str:
        """What print shows of the loss."""
        return f"interpolant={self.interpolant!r}, direction={self.direction!r}"


def _nothing(given: Arguments) -> Tensor:
    """Zero, in the graph of all scores."""
    return sum((x.sum() * 0.0 for x in given.scores.values()), torch.zeros(()))

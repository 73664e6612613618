"""From the arguments of a call to a factored batch: f records it, g is evaluated on it, at its own and at other scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from metric2loss.diagnostics import MetricError
from metric2loss.runtime import arguments, order_statistics, settings, tape
from metric2loss.runtime.arguments import Arguments, spread
from metric2loss.runtime.distributed import Peers
from metric2loss.runtime.evaluate import Batching, Evaluator, Program
from metric2loss.runtime.failures import failure, on_arguments, warned
from metric2loss.runtime.forms import flattened, is_nested
from metric2loss.runtime.late import Once
from metric2loss.runtime.lenient import Lenient
from metric2loss.runtime.problem import Configuration, Problem, flat_bits, flat_differences
from metric2loss.runtime.randomness import Randomness
from metric2loss.runtime.recorded import Differences
from metric2loss.runtime.selves import without_selves
from metric2loss.runtime.settings import Settings


class Factoring(nn.Module):
    """What a loss does with its metric's f and g, before anything is known about the best configuration."""

    scores: ClassVar[tuple[str, ...]] = ()
    library: str | None = None
    bound: ClassVar[Mapping[str, object]] = {}
    returns: ClassVar[Any] = None
    dispatched: ClassVar[bool] = False  # f and g are readings of the metric itself
    alone: ClassVar[bool] = False  # g returns what `returns` names, and nothing else
    ideal: Any = None
    felt: ClassVar[int] = 1500  # steps executed one by one, above which a step of training takes about a second

    f: Callable[..., Any]
    g: Callable[..., Any]
    progress: Tensor
    temperature: float
    _settings: Settings
    _batching: dict[str, Batching]
    _separable: str | None  # None: not looked at; "": yes; else why not
    _probed: bool
    _writes: bool | None = None  # whether lines of the metric may write into scores; None: not looked at
    _selfless: set[Any]  # programs in which no score is compared with itself
    _random: Randomness
    _peers: Peers | None
    _told_of_loops: bool

    @property
    def writes(self) -> bool:
        """Whether lines of the metric may write into scores: those of g get plain arrays, where it reads scores."""
        if self._writes is None:
            methods = [method for method in ("g", "rows") if hasattr(self, method)]
            taken = {name for method in methods for name in self.parameters_of(method)}
            self._writes = self.dispatched or not taken.isdisjoint(self.scores)
        return self._writes

    def _bound(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Arguments:
        with _no_inference():
            given = arguments.bound(self, args, kwargs)
        if self.library is not None or self._probed or not given.tensors:
            return given
        return self._in_its_library(given, args, kwargs)

    def _in_its_library(self, given: Arguments, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Arguments:
        """For a metric whose text names no library (`(scores.argmax(1) == labels).mean()`): the other, if one cannot run it."""
        try:
            self._factored(given)
        except MetricError as refused:
            self.library = "torch" if given.library == "numpy" else "numpy"
            try:
                given = arguments.bound(self, args, kwargs)
                self._factored(given)
            except MetricError:
                del self.library
                raise refused from None
        return given

    def _recorded(self, given: Arguments, scores: Mapping[str, Tensor] | None = None) -> Any:
        """What f returns, without the comparisons of scores with themselves."""
        return without_selves(
            self._run_f(given, scores),
            lambda: self._run_f(given, {k: _untied(x, seed) for seed, (k, x) in enumerate(given.scores.items())}),
            self._selfless,
        )

    def _for_f(self, given: Arguments, scores: Mapping[str, Tensor] | None) -> dict[str, Any]:
        return given.for_f(scores)

    def _run_f(self, given: Arguments, scores: Mapping[str, Tensor] | None) -> Any:
        positional, named = spread(type(self).f, self._for_f(given, scores))
        values = tuple((given.scores if scores is None else scores).values())
        self._settings.temperature = self.temperature
        spreading = (
            order_statistics.Spread() if self.dispatched or order_statistics.mentions(type(self).f) else nullcontext()
        )
        with _modes(given), settings.Heeding(self._settings, values), spreading:
            try:
                tree = Lenient(self).f(*positional, **named)
            except MetricError:
                raise
            except Exception as error:
                if given.shared and "read-only" in str(error):
                    self._writes = True
                    return self._run_f(given.copied(), scores)
                raise on_arguments(type(self).__name__, error, self._probed) from error
        if not self.dispatched:
            tape.in_every_turn(tree)
        for key, leaf in tape.leaves(tree):
            if not isinstance(leaf, Differences):
                raise failure("M2L503", f"f recorded {type(leaf).__name__} at {key}, no differences")
        return tree

    # --- the batch and g on it

    def _factored(self, given: Arguments) -> Problem:
        tree = self._recorded(given)
        configuration = Configuration.of(tree)
        self._tell_of_loops(self._one_by_one(configuration))
        evaluator = self._evaluator(configuration, given)
        device = evaluator.device
        natives = [leaf.native for leaf in configuration.recorded]
        known = [outcome.to(device) for outcome in natives if outcome is not None]
        late_bits = Once(lambda: flat_bits(tree, device))
        at_once = len(known) == len(natives) and len(natives) > 0
        if not self._probed and evaluator.leaves:
            self._asked(evaluator, late_bits().unsqueeze(0))
            evaluator.decide(late_bits())
        value, values = self._asked(evaluator, known) if at_once else self._asked(evaluator, late_bits().unsqueeze(0))
        return Problem(
            evaluator.leaves,
            float(value),
            evaluator,
            given.scores,
            lambda scores: self._bits_at(scores, given, configuration),
            configuration.recorded,
            given.targets,
            lambda: flat_differences(tree, device),
            late_bits,
            self._ideal_scores(given),
            values,
            progress=self.progress.item(),
            temperature=self.temperature,
            generator=self._generator(),
        )

    @property
    def heeded(self) -> tuple[Any, ...]:
        """What f heeds beside its arguments: the same run of it is the same recording."""
        return self._settings.prune, self._settings.suppose, tuple(sorted(self._settings.ranges.items()))

    def executed(self, *args: Any, **kwargs: Any) -> int:
        """How many steps Python executes one after the other at these arguments."""
        return self._one_by_one(Configuration.of(self._recorded(self._bound(args, kwargs))))

    def _one_by_one(self, configuration: Configuration) -> int:
        """Steps that Python executes one after the other in every run of g."""
        return len(configuration.recorded)

    def _tell_of_loops(self, steps: int) -> None:
        """Once, that a step of training takes long because the metric loops over scores."""
        if steps <= self.felt or self._told_of_loops:
            return
        self._told_of_loops = True
        warned(
            "M2L401",
            f"{type(self).__name__}: {steps:,} steps are executed one by one",
            "a Python loop over scores is run again in every evaluation of the metric: a step of training takes long",
            "compare whole arrays at once, as in `scores[:, None] > scores[None, :]`, or compile with an example",
        )

    def _evaluator(self, configuration: Configuration, given: Arguments) -> Evaluator:
        tree, source = configuration.given()
        program = Program(self, tree, source, given.for_g() if self.writes else dict(given.others))
        device = next(iter(given.scores.values())).device
        separable = self._separable == ""
        return Evaluator(program, configuration.leaves(), self._batching, device, separable=separable, forgiving=True)

    def _asked(self, evaluator: Evaluator, at: Tensor | list[Tensor]) -> tuple[Any, Tensor | None]:
        """g at dense configurations or, with the rows it is the mean of, at one outcome of every step.

        What the user's lines raise becomes a named error. Elsewhere, at configurations that perhaps no scores give, a run that raises has no value.
        """
        evaluator.forgiving = False
        try:
            return (evaluator.at(at), None) if isinstance(at, Tensor) else evaluator.with_rows(at)
        except MetricError:
            raise
        except Exception as error:
            raise failure(
                "M2L505",
                f"the rest of the metric failed: {type(error).__name__}: {error}",
                f"it ran on the binaries of this batch in {type(self).__name__}.g",
            ) from error
        finally:
            evaluator.forgiving = True

    def _generator(self) -> torch.Generator | None:
        """Ranks that share a batch must draw alike: without a generator they get one of a common seed."""
        if self._random.generator is None and self._peers is not None:
            self._random.generator = torch.Generator().manual_seed(self._peers.common_seed())
        return self._random.generator

    # --- other scores

    def _bits_at(self, scores: Mapping[str, Tensor], given: Arguments, configuration: Configuration) -> Tensor | None:
        """The binaries at other scores; ranges of rounding met there are remembered, and the problem made anew."""
        device = next(iter(given.scores.values())).device
        moved = {name: scores[name].detach().to(device, like.dtype) for name, like in given.scores.items()}
        if any(moved[name].shape != like.shape for name, like in given.scores.items()):
            return None
        tree = self._recorded(given, {name: x.clone().requires_grad_() for name, x in moved.items()})
        there = Configuration.of(tree)
        same = [key for key, _ in there.sites] == [key for key, _ in configuration.sites] and all(
            a.same_as(b) for (_, a), (_, b) in zip(configuration.sites, there.sites, strict=True)
        )
        if same:
            return flat_bits(tree, device)
        self._settings.widen(configuration.sites, there.sites)
        return None

    def _ideal_scores(self, given: Arguments) -> Mapping[str, Tensor] | None:
        if self.ideal is None:
            return None
        found = self.ideal(*(value for value in given.others.values()))
        if not isinstance(found, Mapping) or not set(found) <= set(given.scores):
            found = dict(zip(given.scores, found if isinstance(found, tuple) else (found,)))
        return {name: flattened(x)[0] if is_nested(x) else torch.as_tensor(x) for name, x in found.items()}

    # --- what g returns

    def value_of(self, result: Any) -> Any:
        """The metric in what g returns."""
        plain = self.alone or (self.returns is None and isinstance(result, float))
        return result if plain else self.picked(result)

    def picked(self, result: Any) -> Any:
        """The value that `returns` names, of what the user's metric returns."""
        if callable(self.returns):
            return self.returns(result)
        rows = isinstance(self.returns, int) and bool(getattr(result, "ndim", 0))
        if self.returns is not None and (rows or isinstance(result, (tuple, list, dict))):
            return result[self.returns]
        if isinstance(result, dict) or (isinstance(result, tuple) and len(result) != 1):
            raise failure(
                "M2L106", "the metric returns several values", hint="say which one is to be trained with returns="
            )
        return result

    def parameters_of(self, method: str) -> tuple[str, ...]:
        """The parameters of g or rows after the binaries."""
        return arguments.after_first(getattr(type(self), method))


def _untied(x: Tensor, seed: int) -> Tensor:
    """Scores of the same shape, in [0, 1], of which no two are equal."""
    drawn = torch.rand(x.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return drawn.to(x.device, x.dtype).requires_grad_()


def _no_inference() -> Any:
    return torch.inference_mode(False) if torch.is_inference_mode_enabled() else nullcontext()


def _modes(given: Arguments) -> Any:
    """Those f runs in: with gradients, outside of inference mode and autocast; mostly they are in force."""
    kind = next(iter(given.scores.values())).device.type
    there = torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
    return nullcontext() if there and not torch.is_autocast_enabled(kind) else _changed_modes(kind)


@contextmanager
def _changed_modes(kind: str) -> Iterator[None]:
    with _no_inference(), torch.enable_grad(), torch.autocast(kind, enabled=False):
        yield

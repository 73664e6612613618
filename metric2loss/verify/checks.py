"""Turns a loss, its metric and a batch into findings: is the loss exact, is its gradient finite, does replay hold."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from metric2loss.diagnostics import Diagnostic, MetricError
from metric2loss.runtime import SurrogateLoss
from metric2loss.verify.batches import Batch

CONFIGURATIONS = 16
MOVES = 4


@dataclass(frozen=True)
class Finding:
    """One check on one batch: its result in words; `passed` is None when the check does not apply."""

    check: str
    passed: bool | None
    detail: str
    why: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Subject:
    """A loss beside the metric it was made from, and one batch for both."""

    loss: type[SurrogateLoss]
    metric: Callable[..., Any]
    batch: Batch

    def value(self, arguments: Mapping[str, Any]) -> float:
        """The user's own function on arguments given as NumPy arrays."""
        return call_metric(self.loss, self.metric, arguments)

    def tensors(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The same arguments for the criterion; scores ask for a gradient."""
        made = {name: _tensor(value, _dtype(self.loss)) for name, value in arguments.items()}
        for name in self.batch.scores:
            made[name] = made[name].detach().clone().requires_grad_()
        return made


def call_metric(loss: type[SurrogateLoss], metric: Callable[..., Any], arguments: Mapping[str, Any]) -> float:
    """The metric in the library it was written for; `returns` picks from several values, an array is averaged."""
    result = _in_its_library(loss, metric, arguments)
    returns = getattr(loss, "returns", None)
    if returns is not None:
        result = returns(result) if callable(returns) else result[returns]
    if isinstance(result, tuple | dict):
        hint = "Say which one the loss was made for: metric2loss verify MODULE --returns KEY."
        message = f"`{getattr(metric, '__name__', 'the metric')}` returns several values"
        raise MetricError(Diagnostic("M2L106", None, message, "The loss was made for one of them.", hint))
    if isinstance(result, torch.Tensor):
        return float(result.detach().double().mean())
    return float(np.mean(result))


def check_all(subject: Subject, seed: int) -> Iterator[Finding]:
    """Every check, in the order a reader wants them; a check that raises has failed."""
    for check in (_exact, _replayed, _swapped, _configurations, _batched, _gradient, _best):
        rng = np.random.default_rng(seed)
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                found = check(subject, rng)
        except MetricError as error:
            first = error.diagnostics[0]
            found = Finding("", False, first.message, f"{first.code}: {first.message}. {first.why}", first.hint)
        except Exception as error:  # noqa: BLE001 - user code and generated code run here; any failure is a finding
            found = Finding("", False, f"{type(error).__name__}: {error}")
        yield replace(found, check=_title(check))


def _title(check: Callable[..., Finding]) -> str:
    return (check.__doc__ or "").splitlines()[0].rstrip(".")


def _exact(subject: Subject, rng: np.random.Generator) -> Finding:
    """metric(x) == criterion.metric."""
    criterion = subject.loss()
    criterion(**subject.tensors(subject.batch.arguments))
    ours, theirs = float(criterion.metric), subject.value(subject.batch.arguments)
    hint = "Report it with the metric: the loss does not compute what the metric computes."
    return Finding("", _same(ours, theirs, subject), f"{ours:.6g}", f"The metric gives {theirs!r}, we {ours!r}.", hint)


def _replayed(subject: Subject, rng: np.random.Generator) -> Finding:
    """replay(record(x), x) == metric(x)."""
    criterion, inputs = subject.loss(), subject.tensors(subject.batch.arguments)
    configuration = criterion.record(**inputs)
    ours, theirs = float(criterion.replay(configuration, **inputs)), subject.value(subject.batch.arguments)
    detail = f"{len(configuration.flat)} binary variables"
    return Finding("", _same(ours, theirs, subject), detail, f"The metric gives {theirs!r}, replay {ours!r}.")


def _swapped(subject: Subject, rng: np.random.Generator) -> Finding:
    """replay(record(x'), x) == metric(x')."""
    if getattr(subject.loss, "mixed", False):
        return Finding("", None, "does not apply: scores also reach the result smoothly")
    criterion, inputs = subject.loss(), subject.tensors(subject.batch.arguments)
    length = len(criterion.record(**inputs).flat)
    tried = 0
    for moved in _moved(subject.batch, rng):
        configuration = criterion.record(**subject.tensors(moved))
        if len(configuration.flat) != length:  # other scores, other differences: nothing to compare
            continue
        ours, theirs = float(criterion.replay(configuration, **inputs)), subject.value(moved)
        tried += 1
        if not _same(ours, theirs, subject):
            why = f"For other scores x' the metric gives {theirs!r}, replaying their binaries on x gives {ours!r}."
            return Finding("", False, "differs", why, "A step of the metric was missed; report it with the metric.")
    return Finding("", True if tried else None, f"{tried} other sets of scores")


def _configurations(subject: Subject, rng: np.random.Generator) -> Finding:
    """g is finite at random configurations."""
    criterion, inputs = subject.loss(), subject.tensors(subject.batch.arguments)
    recorded = criterion.record(**inputs)
    values = []
    for share in np.linspace(0, 1, CONFIGURATIONS):
        flat = torch.from_numpy(rng.random(len(recorded.flat)) < share)
        values.append(float(criterion.replay(recorded.with_flat(flat), **inputs)))
    bad = sum(not math.isfinite(value) for value in values)
    detail = f"{len(values)} tried, values {min(values):.4g} to {max(values):.4g}" if not bad else f"{bad} not finite"
    return Finding("", not bad, detail, f"{bad} of {len(values)} values are nan or infinite.",
                   "Guard the division that can be by zero, as in `if tp == 0: return 0.0`.")  # fmt: skip


def _batched(subject: Subject, rng: np.random.Generator) -> Finding:
    """many configurations at once == one by one."""
    criterion, inputs = subject.loss(), subject.tensors(subject.batch.arguments)
    problem, recorded = criterion.problem(**inputs), criterion.record(**inputs)
    bits = torch.from_numpy(rng.random((CONFIGURATIONS, len(recorded.flat))) < 0.5)
    at_once = problem.values_of(bits.to(problem.bits.device)).tolist()
    one_by_one = [float(criterion.replay(recorded.with_flat(flat), **inputs)) for flat in bits]
    differing = [
        pair for pair in zip(at_once, one_by_one, strict=True) if not math.isclose(*pair, rel_tol=1e-6, abs_tol=1e-6)
    ]
    why = f"At {len(differing)} of {len(bits)} configurations they differ, as {differing[:1]}."
    return Finding("", not differing, str(criterion.batching), why, "Report it with the metric.")


def _gradient(subject: Subject, rng: np.random.Generator) -> Finding:
    """the gradient is finite."""
    criterion, inputs = subject.loss(), subject.tensors(subject.batch.arguments)
    loss = criterion(**inputs)
    loss.backward()
    gradients = [inputs[name].grad for name in subject.batch.scores]
    if any(gradient is None for gradient in gradients):
        return Finding("", False, "no gradient", "The loss does not depend on one of the score parameters.",
                       "Name the scores with --scores when compiling.")  # fmt: skip
    norm = math.sqrt(sum(float(gradient.square().sum()) for gradient in gradients if gradient is not None))
    best = math.isclose(float(criterion.metric), float(criterion.best_value), rel_tol=1e-6)
    why = f"The loss is {float(loss.detach())!r}, the norm of its gradient {norm!r}."
    passed = math.isfinite(norm) and math.isfinite(float(loss.detach())) and (norm > 0 or best)
    return Finding("", passed, f"loss {float(loss.detach()):.4g}, gradient norm {norm:.4g}", why)


def _best(subject: Subject, rng: np.random.Generator) -> Finding:
    """no scores tried beat the best configuration."""
    criterion = subject.loss()
    criterion(**subject.tensors(subject.batch.arguments))
    best, sign = float(criterion.best_value), -1.0 if criterion.direction == "minimize" else 1.0
    reached = max(sign * subject.value(moved) for moved in (subject.batch.arguments, *_moved(subject.batch, rng)))
    passed = math.isfinite(best) and reached <= sign * best + 1e-6 * max(1.0, abs(best))
    why = f"Random scores reach {sign * reached!r}, the best configuration found gives {best!r}."
    hint = "Say which scores are perfect: compile_metric(..., ideal=lambda targets: scores), or give the direction."
    return Finding("", passed, f"{best:.6g}", why, hint)


def _moved(batch: Batch, rng: np.random.Generator) -> Iterator[Mapping[str, Any]]:
    """The batch with its own scores in other places, so that ranges and ties stay as they are."""
    for _ in range(MOVES):
        moved = dict(batch.arguments)
        for name in batch.scores:
            scores = np.asarray(moved[name])
            moved[name] = rng.permutation(scores.reshape(-1)).reshape(scores.shape)
        yield moved


def _same(ours: float, theirs: float, subject: Subject) -> bool:
    """Equal up to the rounding of one reordered sum."""
    tolerance = 1e-5 if _dtype(subject.loss) == torch.float32 else 1e-9
    return math.isclose(ours, theirs, rel_tol=tolerance, abs_tol=tolerance) or (math.isnan(ours) and math.isnan(theirs))


def _dtype(loss: type[SurrogateLoss]) -> torch.dtype:
    """Real numbers get the precision the metric's own library has by default."""
    return torch.float32 if loss.library == "torch" else torch.float64


def _tensor(value: Any, dtype: torch.dtype) -> Any:
    if isinstance(value, np.ndarray):
        value = torch.from_numpy(np.ascontiguousarray(value))
    return value.to(dtype) if isinstance(value, torch.Tensor) and value.is_floating_point() else value


def _in_its_library(loss: type[SurrogateLoss], metric: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """The metric on tensors or arrays; one that imports neither library gets tensors, as in training, if it takes them."""
    tensors = {name: _tensor(value, _dtype(loss)) for name, value in arguments.items()}
    if loss.library == "torch":
        return metric(**tensors)
    if loss.library is None:
        with contextlib.suppress(Exception):  # the user's code; what it does with arrays is what counts then
            return metric(**tensors)
    return metric(**{name: _array(value) for name, value in arguments.items()})


def _array(value: Any) -> Any:
    return value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else value

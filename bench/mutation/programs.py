"""The programs that are altered, each with batches: examples, stress and corpus metrics, and metrics run as they are."""

from __future__ import annotations

import contextlib
import importlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from metric2loss.diagnostics import MetricError

Batch = dict[str, Any]


@dataclass(frozen=True)
class Program:
    """batch(kind, seed): arguments in the metric's library, kind "floats" or "ties"."""

    name: str
    metric: Callable[..., Any]
    scores: tuple[str, ...]
    direction: str
    batch: Callable[[str, int], Batch]
    returns: Any = None
    text: Callable[[], Any] | None = None  # the loss class from its own text, where the metric's file is not on disk

    def value(self, arguments: Batch) -> float:
        """The user's own function: the oracle."""
        copies = {
            name: x.clone() if isinstance(x, torch.Tensor) else np.copy(x) if isinstance(x, np.ndarray) else x
            for name, x in arguments.items()
        }
        with contextlib.redirect_stdout(io.StringIO()), torch.no_grad(), np.errstate(all="ignore"):
            found = self.metric(**copies)
        found = (
            self.returns(found) if callable(self.returns) else found if self.returns is None else found[self.returns]
        )
        return float(np.mean(np.asarray(found.detach() if isinstance(found, torch.Tensor) else found, dtype=float)))

    def compiled(self) -> Any:
        """The loss class from its own text; None where that is refused."""
        if self.text is not None:
            return self.text()
        from metric2loss.routes import Request, compiled_loss

        request = Request(self.scores, None, self.direction, self.returns)  # type: ignore[arg-type]
        with contextlib.suppress(MetricError):
            return compiled_loss(self.metric, request)
        return None

    def dispatched(self) -> Any:
        """The loss class that runs the metric as it is; None where that is refused."""
        from metric2loss.routes import Request, dispatched_loss

        example = self.batch("floats", 0)
        request = Request(self.scores, None, self.direction, self.returns, None, example)  # type: ignore[arg-type]
        with contextlib.suppress(MetricError):
            return dispatched_loss(self.metric, request)
        return None


def examples() -> Iterator[Program]:
    """examples/metrics."""
    for one in importlib.import_module("tests.examples.data").examples():
        yield Program(f"examples/{one.name}", one.metric, (one.scores,), one.direction, one.batch)


def corpus() -> Iterator[Program]:
    """tests/corpus."""
    for one in importlib.import_module("tests.corpus.cases").cases():
        if not one.refused and not one.broken:
            yield Program(f"corpus/{one.name}", one.metric, one.scores, one.direction, one.batch, one.returns)


def stress() -> Iterator[Program]:
    """tests/stress, those that compile."""
    oracle = importlib.import_module("tests.stress.oracle")
    table = importlib.import_module("tests.stress.test_own_code")
    for one in oracle.cases():
        if one.name not in table.REFUSED and one.variadic is None:
            metric, returns = getattr(oracle.user_module(one.path), one.name), table.RETURNS.get(one.name)

            def text(one: Any = one, returns: Any = returns) -> Any:
                from metric2loss import loading

                compiled = one.compiled(returns=returns)
                return loading.load(
                    loading.generated_module(one.name, compiled.text, compiled.metrics[0].class_name, {}, {})
                )

            yield Program(f"stress/{one.id}", metric, one.scores, "maximize", one.batch, returns, text)


def live() -> Iterator[Program]:
    """Stand-ins for library code, run as they are."""
    metrics = importlib.import_module("tests.runtime.dispatch.metrics")
    batches = importlib.import_module("tests.runtime.dispatch.test_dispatch")
    for metric in metrics.TORCH + metrics.NUMPY:
        score = "preds" if metric in metrics.TORCH else "scores"

        def batch(kind: str, seed: int, metric: Any = metric) -> Batch:
            return batches.arguments(metric, seed, kind == "ties")  # type: ignore[no-any-return]

        yield Program(f"live/{metric.__name__}", metric, (score,), "maximize", batch)


def published() -> Iterator[Program]:
    """Metrics of scikit-learn, SciPy, torchmetrics and torcheval, where they are installed."""
    import pytest

    module = importlib.import_module("tests.cases.test_published_metrics")
    for case in module.METRICS:
        try:
            function, score, direction, picked, given = module.prepared(case)
        except pytest.skip.Exception:
            continue

        def batch(kind: str, seed: int, given: Any = given, score: str = score) -> Batch:
            found = given(seed)
            if kind == "ties":
                found[score] = (found[score] * 4).round() / 4
            return found  # type: ignore[no-any-return]

        yield Program(f"published/{case[0]}", function, (score,), direction, batch, picked)


KINDS = (examples, stress, corpus, live, published)

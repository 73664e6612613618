"""The training loops of examples/training run, learn, and use a generated module that is up to date."""

from __future__ import annotations

import importlib

import pytest

from metric2loss.compiler import compile_text
from tests.examples.data import METRICS

GENERATED = METRICS.parent / "training" / "average_precision_loss.py"


def test_the_generated_module_is_up_to_date(request: pytest.FixtureRequest) -> None:
    source = METRICS / "average_precision.py"
    text = compile_text(source.read_text(encoding="utf-8"), str(source)).text
    if request.config.getoption("--update-golden"):
        GENERATED.write_text(text, encoding="utf-8")
    assert GENERATED.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("name", "at_least", "at_most"),
    [("imported_module", 0.95, 1.0), ("decorated_metric", 0.0, 0.2), ("compiled_function", 0.9, 1.0)],
)
def test_the_loop_learns(name: str, at_least: float, at_most: float) -> None:
    value = importlib.import_module(f"examples.training.{name}").main()
    assert at_least <= value <= at_most

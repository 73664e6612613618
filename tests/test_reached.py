"""A function is compiled without parsing what it does not reach, and the loss comes out the same."""

import ast
from pathlib import Path

import pytest

from metric2loss import compiler
from metric2loss.compiler import Options, compile_text
from metric2loss.diagnostics import MetricError
from metric2loss.frontend.reached import reached

METRICS = Path(__file__).parent / "stress" / "metrics"

FILE = '''"""Metrics."""
import numpy as np

LIMIT = 0.5
TABLE = {"limit": LIMIT}
REGISTRY = {}
OTHER = [
    1,
    2,
]


def decorated(function):
    REGISTRY[function.__name__] = function
    return function


def _hits(scores, labels):
    return (scores > TABLE["limit"]) & (labels == 1)


class Unused:
    def f1(self, scores):
        return OTHER


@decorated
def recall(scores, labels):
    return _hits(scores, labels).sum() / labels.sum()


def precision(scores, labels):
    OTHER.append(1)
    return "recall"


REGISTRY["hits"] = _hits

if __name__ == "__main__":
    print(precision(np.zeros(3), np.zeros(3)), REGISTRY)
'''


def left(text: str, *functions: str) -> set[str]:
    """The names that are bound at the top level of what is left."""
    body = ast.parse(reached(text, functions)).body
    defined = {node.name for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    return defined | {
        node.targets[0].id for node in body if isinstance(node, ast.Assign) and hasattr(node.targets[0], "id")
    }


def test_what_a_function_reaches_is_kept_and_every_line_stays_where_it_was():
    found = reached(FILE, ["_hits"])
    assert left(FILE, "_hits") == {"LIMIT", "TABLE", "_hits"}
    assert found.count("\n") == FILE.count("\n")
    assert all(a in ("", b) for a, b in zip(found.splitlines(), FILE.splitlines(), strict=True))


def test_decorators_names_in_quotes_and_what_changes_a_value_are_reached():
    assert {"decorated", "REGISTRY", "recall", "_hits"} <= left(FILE, "recall")
    assert {"precision", "recall"} <= left(FILE, "precision")


def test_a_local_name_is_no_global_one():
    text = "def a(x):\n    b = 1\n    return [c for c in x if b]\n\n\ndef b(x):\n    return x\n\n\ndef c(x):\n    return x\n"
    assert left(text, "a") == {"a"}


@pytest.mark.parametrize(
    "text", ["def f(:", "def g(x): return x\n", "def f(x):\n    return x\x0c\n\n\ndef g(x):\n    return f\n"]
)
def test_what_cannot_be_told_is_left_as_it_is(text):
    assert reached(text, ["f"]) == text


def test_definitions_that_share_a_line_stay():
    text = "def f(x): return x\nA = 1; B = f\n"
    assert reached(text, ["f"]) == text


@pytest.mark.parametrize("name", ["helpers", "style"])
def test_the_generated_text_is_the_same_as_from_the_whole_file(name, monkeypatch):
    text = (METRICS / f"{name}.py").read_text()
    functions = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    short = {function: said(text, function) for function in functions}
    monkeypatch.setattr(compiler, "reached", lambda text, functions: text)
    assert short == {function: said(text, function) for function in functions}


def said(text: str, function: str) -> str:
    """The generated text, or the refusal."""
    try:
        return compile_text(text, "metrics.py", Options(function)).text
    except MetricError as refusal:
        return str(refusal)

"""The pipeline as a whole: stages in order, all problems at once, the same bytes, nothing of the user's file run."""

import pytest

from metric2loss.compiler import STAGES, Options, compile_text
from metric2loss.diagnostics import MetricError

TWO = """
import numpy as np

def _counts(scores, labels):
    chosen = scores > 0.5
    return (chosen * labels).sum(), chosen.sum()

def precision(scores, labels):
    tp, n = _counts(scores, labels)
    return tp / max(n, 1)

def recall(scores, labels):
    tp, _ = _counts(scores, labels)
    return tp / labels.sum()
"""


def test_every_stage_can_be_printed():
    found = compile_text(TWO, "metrics.py")
    assert all(found.dump(stage).strip() for stage in STAGES)
    with pytest.raises(ValueError, match="no stage 'nothing'"):
        found.dump("nothing")


def test_two_metrics_of_a_file_become_two_classes():
    text = compile_text(TWO, "metrics.py").text
    assert text.count("(SurrogateLoss):") == 2
    compile(text, "metrics_loss.py", "exec")


def test_compiling_twice_gives_the_same_bytes():
    assert compile_text(TWO, "metrics.py").text == compile_text(TWO, "metrics.py").text


def test_nothing_of_the_file_runs():
    compile_text("raise SystemExit\n" + TWO, "metrics.py")


def test_all_problems_are_reported_at_once_in_source_order():
    text = "def metric(scores, labels):\n    a = foo(scores)\n    b = bar(scores)\n    return a + b\n"
    with pytest.raises(MetricError) as caught:
        compile_text(text, "metric.py")
    assert [d.span.line for d in caught.value.diagnostics] == [2, 3]


def test_inner_functions_of_two_metrics_with_the_same_name_stay_apart():
    text = (
        TWO
        + """
def hits(scores, labels):
    def above(t):
        return scores > t
    return (above(0.5) * labels).mean()

def misses(scores, labels):
    def above(t):
        return scores >= t
    return (above(0.25) * (1 - labels)).mean()
"""
    )
    found = compile_text(text, "metrics.py", Options(function=("hits", "misses"))).text
    compile(found, "metrics_loss.py", "exec")
    assert found.count('steps.compare.differences(scores, ">", t)') == 1
    assert found.count('steps.compare.differences(scores, ">=", t)') == 1

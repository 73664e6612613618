"""Comparisons that Python skips are made all the same, so that they have binaries; nothing else is evaluated."""

from __future__ import annotations

import numpy as np
import pytest

from metric2loss.routes import Request, dispatched_loss
from metric2loss.runtime.dispatch.eager import code_of
from metric2loss.runtime.selfcheck import self_check


def in_interval(scores, labels, low=0.3, high=0.7):
    inside = 0
    for score, label in zip(scores, labels):
        if low <= score <= high:
            inside += label
    return inside / len(labels)


def chained(scores, labels):
    return sum(label for score, label in zip(scores, labels) if 0.3 <= score < 0.7) / len(labels)


def in_three_parts(scores, labels):
    total = 0.0
    for place, score in enumerate(scores):
        if score < 0.3:
            total += labels[place]
        elif score < 0.6:
            total += 0.5
        else:
            total -= labels[place]
    return total / len(labels)


def outside(scores, labels, low=0.3, high=0.7):
    return sum(label for score, label in zip(scores, labels) if score < low or score > high) / len(labels)


def guarded(values, k):
    return k < len(values) and values[k] > 0 and k > 0


@pytest.mark.parametrize("metric", [in_interval, chained, in_three_parts, outside], ids=lambda metric: metric.__name__)
def test_every_configuration_meets_recorded_steps_only(metric):
    draw = np.random.default_rng(0)
    given = {"scores": draw.permutation(12) / 12, "labels": np.arange(12) % 2}
    loss = dispatched_loss(metric, Request(scores=("scores",), direction="maximize", example=given))
    found = self_check(loss(), given)
    assert [one.check for one in found if one.passed is False] == []
    assert len(loss().record(**given).flat) >= 24 - 12 * (metric is chained)


def test_what_may_fail_is_still_skipped():
    assert code_of(guarded.__code__) is guarded.__code__


def test_lines_stay_where_they_are():
    changed = code_of(in_interval.__code__)
    assert changed is not in_interval.__code__
    assert changed.co_firstlineno == in_interval.__code__.co_firstlineno
    theirs = [name for name in changed.co_varnames if not name.startswith("__metric2loss")]
    assert sorted(theirs) == sorted(in_interval.__code__.co_varnames)
    assert {line for _, _, line in changed.co_lines()} == {line for _, _, line in in_interval.__code__.co_lines()}

"""Self-checks pass on every hand-written loss, and find what was broken on purpose."""

from __future__ import annotations

import inspect
import warnings

import numpy as np
import pytest

from metric2loss.runtime import steps
from metric2loss.runtime.selfcheck import self_check
from tests.runtime.hand_written import CASES, AveragePrecisionLoss, F1Loss, f1


def named(case):
    names = list(inspect.signature(case.metric).parameters)
    return dict(zip(names, case.arguments(np.random.default_rng(0), "random")))


def failed(loss, arguments, metric=None):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return {found.check for found in self_check(loss, arguments, metric=metric) if not found.passed}


@pytest.mark.parametrize("name", CASES)
def test_every_loss_passes(name):
    case = CASES[name]
    assert failed(case.loss(), named(case), case.metric) == set()


def test_a_lost_step_is_found():
    class Lost(F1Loss):
        def g(self, binaries, scores, labels, threshold):
            predicted = scores > threshold  # a step left in g: no binary
            return 2 * np.sum(predicted & (labels == 1)) / (predicted.sum() + labels.sum())

    assert failed(Lost(), named(CASES["f1"]), f1) == {"binaries of other scores give the metric of those"}


def test_drifting_operands_are_found():
    class Growing(AveragePrecisionLoss):
        def f(self, scores, labels):
            tape = steps.Tape()
            tape.order = steps.order.differences(-scores, told_apart_by=(labels,))
            if scores.exact[0] > scores.exact[1]:
                tape.other = steps.compare.differences(scores, ">", 0.0)
            return tape

        def g(self, binaries, labels):
            return super().g(binaries.order, labels)

    arguments = named(CASES["average_precision"])
    assert "the same steps compare the same operands at other scores" in failed(Growing(), arguments)


def test_an_unseen_site_is_found():
    class Unseen(AveragePrecisionLoss):
        def f(self, scores, labels):
            tape = steps.Tape()
            tape.order = steps.order.differences(-scores)
            return tape

        def g(self, binaries, labels):
            order = steps.order.result(binaries.order)
            if labels[order[0]] == 0 and labels[order[1]] == 0:
                steps.compare.result(binaries.other)
            return labels[order[:3]].mean()

    assert "every configuration has a value" in failed(
        Unseen(), {"scores": np.array([3.0, 2.0, 1.0, 0.0]), "labels": np.array([1, 1, 0, 0])}
    )

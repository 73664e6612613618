"""Self-checks pass on every hand-written loss, and find what was broken on purpose."""

from __future__ import annotations

import inspect
import warnings

import numpy as np
import pytest
import torch

from metric2loss.runtime import SurrogateLoss, steps
from metric2loss.runtime.ranking import passive
from metric2loss.runtime.recorded import Differences
from metric2loss.runtime.selfcheck import Amounts, Subject, diagnostics_of, self_check
from tests.runtime.hand_written import CASES, AveragePrecisionLoss, F1Loss, f1


def named(case):
    names = list(inspect.signature(case.metric).parameters)
    return dict(zip(names, case.arguments(np.random.default_rng(0), "random")))


def failed(loss, arguments, metric=None):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return {found.check for found in self_check(loss, arguments, metric=metric) if found.passed is False}


@pytest.mark.parametrize("name", CASES)
def test_every_loss_passes(name):
    case = CASES[name]
    assert failed(case.loss(), named(case), case.metric) == set()


def test_a_lost_step_is_found():
    class Lost(F1Loss):
        def g(self, binaries, scores, labels, threshold):
            predicted = scores > threshold  # a step left in g: no binary
            return 2 * np.sum(predicted & (labels == 1)) / (predicted.sum() + labels.sum())

    assert "replay(record(x'), x) == metric(x')" in failed(Lost(), named(CASES["f1"]), f1)


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
    assert "the operands do not drift" in failed(Growing(), arguments)


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


def test_binaries_that_are_not_the_sign_of_their_difference_are_found():
    class Turned(AveragePrecisionLoss):
        def f(self, scores, labels):
            found = steps.order.differences(-scores, told_apart_by=(labels,))
            return Differences(found.layout, -found.values, found.bits, found.library, found.native)

    case = CASES["average_precision"]
    assert failed(Turned(), named(case), case.metric) == {"the operands do not drift"}


def test_a_step_kept_as_recorded_is_found():
    class Kept(F1Loss):
        def f(self, scores, labels, threshold):
            found = super().f(scores, labels, threshold)
            return passive(torch.as_tensor(found.read()), "numpy")

    assert "there is a step" in failed(Kept(), named(CASES["f1"]), f1)


def test_dear_metrics_are_asked_less_often():
    case = CASES["average_precision"]
    cheap, dear = Subject(case.loss(), named(case)), Subject(case.loss(), named(case))
    cheap.afford(1000.0)
    dear.afford(1e-9)
    assert cheap.amounts == Amounts()
    assert (dear.amounts.moves, dear.amounts.configurations, dear.amounts.paths) == (4, 4, 0)


def mixed(scores, labels):
    above = scores > 0.5
    return float(np.mean(scores * above) - labels.mean() + np.mean(scores > 0.3))


class MixedLoss(SurrogateLoss):
    direction, scores, library, mixed = "minimize", ("scores",), "numpy", True

    def f(self, scores, labels):
        tape = steps.Tape()
        tape.above = steps.compare.differences(scores, ">", 0.5)
        tape.low = steps.compare.differences(scores, ">", 0.3)
        return tape

    def g(self, binaries, scores, labels):
        above, low = steps.compare.result(binaries.above), steps.compare.result(binaries.low)
        return np.mean(scores * above) - labels.mean() + np.mean(low)


def test_a_step_lost_beside_a_smooth_path_is_found():
    class Lost(MixedLoss):
        def g(self, binaries, scores, labels):
            above = steps.compare.result(binaries.above)
            return np.mean(scores * above) - labels.mean() + np.mean(np.asarray(scores) > 0.3)

    arguments = {"scores": np.random.default_rng(0).random(12), "labels": np.arange(12) % 2}
    assert failed(MixedLoss(), arguments, mixed) == set()
    assert failed(Lost(), arguments, mixed) >= {"replay(record(x'), x) == metric(x')"}


def test_a_failed_check_is_a_diagnostic_at_the_metric():
    class Lost(F1Loss):
        def g(self, binaries, scores, labels, threshold):
            return np.mean(scores > threshold)

    found = self_check(Lost(), named(CASES["f1"]), metric=f1)
    first = next(iter(diagnostics_of("LostLoss", found)))
    assert (first.code, first.span.path, first.span.line) == (
        "M2L508",
        f1.__code__.co_filename,
        f1.__code__.co_firstlineno,
    )

"""Programs in one piece: the same text records its binaries and replays given ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from metric2loss import compile_metric
from metric2loss.runtime import steps
from metric2loss.runtime.arrays import Array

LABELS = np.array([[1, 0, 1, 0], [0, 0, 1, 1]])


def mean_precision(scores):
    """Mean over queries of the precision of the first two, minus the share of scores above 0."""
    values = []
    for i in range(len(scores)):
        order = steps.order(-scores[i], at=("order", i))
        values.append(LABELS[i][order[:2]].mean())
    above = steps.compare(scores, ">", 0, at=("above",))
    return np.mean(values) - above.mean()


def active(seed):
    scores = np.random.default_rng(seed).integers(-2, 3, (2, 4)).astype(float)
    return Array(scores, torch.tensor(scores, requires_grad=True))


def plainly(scores):
    values = [LABELS[i][np.argsort(-scores[i])[:2]].mean() for i in range(len(scores))]
    return np.mean(values) - (scores > 0).mean()


@pytest.mark.parametrize("seed", range(5))
def test_record_is_the_metric_and_replay_swaps(seed):
    here, there = active(seed), active(seed + 100)
    with steps.record() as tape:
        assert mean_precision(there) == plainly(there.exact)
    with steps.replay(tape):
        assert mean_precision(here) == plainly(there.exact)
    assert tape.order[0].layout.size == 6 and tape.above.layout.size == 8


def test_outside_of_readings_a_step_is_what_the_user_wrote():
    x = active(0)
    assert mean_precision(x) == plainly(x.exact)


def test_a_site_met_again_is_kept_apart():
    x = torch.randn(3, requires_grad=True)
    with steps.record() as tape:
        first = steps.compare(x, ">", 0.0, at=("c",))
        second = steps.compare(-x, ">", 0.0, at=("c",))
    with steps.replay(tape):
        assert torch.equal(steps.compare(x, ">", 0.0, at=("c",)), first)
        assert torch.equal(steps.compare(-x, ">", 0.0, at=("c",)), second)


def test_a_tape_knows_what_was_not_recorded():
    tape = steps.Tape()
    tape.order[1] = "leaf"
    tape.order[2, 3] = "other"
    assert tape.order[np.int64(1)] == "leaf" and tape.order[2][torch.tensor(3)] == "other"
    from metric2loss.runtime.tape import leaves, rebuilt

    assert list(leaves(tape)) == [(("order", 1), "leaf"), (("order", 2, 3), "other")]
    closed = rebuilt(tape, iter("ab"))
    with pytest.raises(KeyError, match="no binaries"):
        closed.order[7]


def test_select_is_pythons_choice_on_plain_values():
    assert steps.select(True, 1, 2) == 1
    assert steps.select(np.bool_(False), (1, 2), (3, 4)) == (3, 4)


def test_array_leaves_plain_values_alone():
    x = np.zeros(3)
    assert steps.array(x) is x


def share_by_list(scores, labels):
    return sum((s > 0.4) == (y == 1) for s, y in zip(scores.tolist(), labels.tolist(), strict=True)) / len(labels)


def share_by_item(scores, labels):
    right = 0
    for i in range(len(labels)):
        right += (scores[i].item() > 0.4) == bool(labels[i] == 1)
    return right / len(labels)


@pytest.mark.parametrize("metric", [share_by_list, share_by_item])
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_scores_as_numbers_of_python_meet_thresholds_in_float64(metric, library):
    scores, labels = torch.tensor([0.4, 0.1, 0.7, 0.4]), torch.tensor([1, 0, 1, 1])  # 0.4 of float32 is above 0.4
    given = (scores, labels) if library == "torch" else (scores.numpy(), labels.numpy())
    criterion = compile_metric(metric, direction="maximize")()
    criterion(*given)
    assert float(criterion.metric) == metric(*given) == 1.0

"""A tape keeps what was recorded at keys of any kind, and ends loops over more steps than anybody waits for."""

from __future__ import annotations

import pytest
import torch

from metric2loss import surrogate
from metric2loss.diagnostics import MetricError
from metric2loss.runtime import tape


@surrogate
def concordant(scores, labels):
    good = total = 0
    for i in range(len(scores)):
        for j in range(len(scores)):
            if labels[i] > labels[j]:
                total += 1
                if scores[i] > scores[j]:
                    good += 1
    return good / max(total, 1)


def test_a_loop_over_too_many_pairs_is_ended_with_a_remedy(monkeypatch):
    monkeypatch.setattr(tape, "MOST", 30)
    few, many = torch.randn(10, requires_grad=True), torch.randn(20, requires_grad=True)
    criterion = concordant.loss()
    criterion(few, torch.arange(10) % 2 == 0).backward()
    assert criterion.binaries == 25
    with pytest.raises(MetricError, match="more than 30 steps are executed one by one") as caught:
        concordant.loss()(many, torch.arange(20) % 2 == 0)
    assert caught.value.diagnostics[0].code == "M2L401"
    assert "scores[:, None] > scores[None, :]" in caught.value.diagnostics[0].hint


def test_every_place_of_a_tape_has_the_same_room():
    recorded = tape.Tape(room=iter(range(2)))
    recorded.order[0] = "first"
    recorded.helper[1, 2].compare = "second"
    with pytest.raises(MetricError, match="one by one"):
        recorded.order[1] = "third"

"""The marker means what the reading in force says."""

from __future__ import annotations

import numpy as np
import pytest

from metric2loss.step import Record, Relax, Replay, current, reading, step


def test_outside_of_any_reading_the_marker_is_the_hard_binary():
    assert step(np.array([-1.0, 0.0, 1.0]), np.array([True, True, False])).tolist() == [False, True, True]


def test_record_keeps_differences_and_replay_ignores_them():
    with reading(Record()) as record:
        step(np.array([2.0, -1.0]))
    with reading(Replay(record.binaries)):
        assert step(np.array([-5.0, 7.0])).tolist() == [True, False]
    assert record.differences[0].tolist() == [2.0, -1.0]


def test_relax_is_a_sigmoid():
    with reading(Relax(temperature=2.0)):
        assert step(0.0) == 0.5
        assert step(np.array([2.0]))[0] == pytest.approx(1 / (1 + np.exp(-1.0)))


def test_a_reading_ends_with_its_block_also_after_an_exception():
    with pytest.raises(ZeroDivisionError), reading(Record()):
        raise ZeroDivisionError
    assert current() is None

"""The page of published metrics: it is the committed run, counted and listed."""

from __future__ import annotations

import json

from bench import coverage

ROW = {
    "id": "top1",
    "exact": True,
    "gradient": True,
    "swap": True,
    "trainable": True,
    "closed": 1.0,
    "binaries": 1200,
    "compile_s": 0.5,
    "ms_per_step": 10.0,
    "route": coverage.OWN,
    "g": "vmap",
    "metric_ms": 0.1,
    "record_ms": 1.4,
}
MIXED = {key: value for key, value in ROW.items() if key != "swap"}
STUCK = {
    **ROW,
    "id": "slow",
    "trainable": False,
    "closed": 0.41,
    "notes": ["every binary counts alike"],
    "record_ms": 9.0,
}
REFUSED = {"id": "odd", "failed": "MetricError", "why": "no rule for `a | b`"}


def counted(rows):
    return dict(line.strip("| ").split(" | ") for line in coverage.summary(rows)[2:])


def test_the_page_is_the_committed_run():
    assert coverage.PAGE.read_text() == coverage.page(json.loads(coverage.RUN.read_text()))


def test_what_holds_is_counted_over_all_cases():
    found = counted([ROW, MIXED, STUCK, REFUSED])
    assert found["exact"] == "3 of 4"
    assert found["SWAP"] == "2 of 2 pure metrics"
    assert found["at least 90 % of the gap closed"] == "2 of 4"
    assert found["refused, crashed"] == "1, 0"
    assert found["record within 5 runs of the metric + 1 ms"] == "2 of 3"


def test_a_case_that_does_not_train_is_explained_by_its_loss():
    assert "- `slow` closes 41%: every binary counts alike." in coverage.untrained([ROW, STUCK])
    assert coverage.untrained([ROW]) == []


def test_a_refusal_is_a_row_with_its_reason():
    *_, line = coverage.table([ROW, REFUSED])
    assert line.startswith("| odd | MetricError: no rule for `a / b` |")
    assert line.count("|") == coverage.table([ROW])[0].count("|")

"""Altered programs are caught by the self-checks: a sample; `python -m bench.mutation` alters all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.mutation import programs, text
from bench.mutation.__main__ import CONTROL, RUNS, examined, table

PROGRAMS = {program.name: program for program in [*programs.examples(), *programs.live()]}
SAMPLE = (
    "examples/average_precision",
    "examples/f1_threshold",
    "examples/pckh",
    "live/through_numpy",
    "live/sorted_items",
)


@pytest.mark.parametrize("name", SAMPLE)
def test_what_is_altered_is_caught(name):
    fates = list(examined(PROGRAMS[name], 6, 0))
    assert [fate.caught for fate in fates if fate.kind == CONTROL] == [""]
    different = [fate for fate in fates if fate.kind != CONTROL and not fate.equivalent]
    assert len(different) >= 3
    assert [(fate.kind, fate.place) for fate in different if not fate.caught] == []


def test_every_mutant_differs_from_the_module():
    source = PROGRAMS["examples/ndcg"].compiled().source
    found = list(text.mutants(source))
    assert len({mutant.kind for mutant in found}) >= 8
    assert len({mutant.text for mutant in found}) == len(found)


def test_the_committed_run_meets_the_target_and_stands_in_the_docs():
    report = json.loads(RUNS.read_text(encoding="utf-8"))
    assert report["share"] >= 0.95
    assert len(report["unaltered but failed"]) <= 0.07 * report["unaltered programs"]
    page = (Path(__file__).parents[2] / "docs" / "internals.md").read_text(encoding="utf-8")
    assert table(report) in page

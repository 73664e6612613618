"""The quick version of a group of tasks runs from the command line."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from bench.core.record import every
from bench.quick import main
from bench.tasks import groups


def test_a_quick_version_of_every_task_of_a_group(tmp_path: Path) -> None:
    told = CliRunner().invoke(main, ["--group", "demo", "--workers", "1", "--out", str(tmp_path)])
    assert told.exit_code == 0, told.output
    assert "4 tasks, 8 runs" in told.output
    assert {outcome.run.task for outcome in every(tmp_path)} == {task.key for task in groups()["demo"]}

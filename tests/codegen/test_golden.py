"""Generated modules, read as a user reads them: byte-stable, and clean under the default rules of linters."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from metric2loss.compiler import compile_text

ROOT = Path(__file__).resolve().parents[2]
METRICS = sorted((ROOT / "examples" / "metrics").glob("*.py"))
GOLDEN = ROOT / "tests" / "golden"


def generated(path: Path) -> str:
    return compile_text(path.read_text(encoding="utf-8"), path.name).text


@pytest.mark.parametrize("path", METRICS, ids=lambda path: path.stem)
def test_the_module_is_the_one_that_was_read(path: Path, request: pytest.FixtureRequest) -> None:
    known = GOLDEN / f"{path.stem}_loss.py"
    if request.config.getoption("--update-golden"):
        known.write_text(generated(path), encoding="utf-8")
    assert generated(path) == known.read_text(encoding="utf-8"), "read the difference, then --update-golden"


def test_no_golden_module_is_left_over() -> None:
    stems = {f"{path.stem}_loss" for path in METRICS}
    assert {p.stem for p in GOLDEN.glob("*_loss.py")} == stems


@pytest.mark.parametrize("path", METRICS, ids=lambda path: path.stem)
def test_no_line_of_ours_is_wider_than_120(path: Path) -> None:
    assert [line for line in generated(path).splitlines() if len(line) > 120] == []


def test_linters_find_nothing_in_generated_modules(tmp_path: Path) -> None:
    for path in METRICS:
        (tmp_path / f"{path.stem}_loss.py").write_text(generated(path), encoding="utf-8")
    lint = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "."]
    types = [sys.executable, "-m", "mypy", "--config-file=", "--ignore-missing-imports", "--cache-dir", "cache", "."]
    for command in (lint, types):
        done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

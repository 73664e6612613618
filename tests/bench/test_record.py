"""Run files: written whole, read back the same, skipped when present, and named when they are damaged; a killed sweep goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from rich.console import Console

from bench.__main__ import main
from bench.core.losses import ROOT
from bench.core.pool import train_all
from bench.core.record import DamagedRun, Epoch, Outcome, Run, checksum, every, present, read, write

RUN = Run("digit_8", "idw", 0.01, 3)


def outcome(run: Run = RUN) -> Outcome:
    epochs = (Epoch(0.5, 0.25, 0.125), Epoch(0.25, 0.5, None))
    return Outcome(run, epochs, 0.25, None, 1.5, 2.25, "the loss of step 9 is nan", {"train": 8}, {"torch": "2"})


def test_a_run_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    path = write(outcome(), tmp_path)
    assert path == tmp_path / "digit_8" / "idw" / "seed3_lr0.01.json"
    assert read(path) == outcome()
    assert path.read_text().count("\n") == 1
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def rewritten(**changes: object) -> Callable[[str], str]:
    """With entries changed and a checksum that fits."""

    def change(text: str) -> str:
        body = {**json.loads(text), **changes}
        return json.dumps({**body, "sha256": checksum(body)})

    return change


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        pytest.param(lambda text: text[:100], "not JSON: .* at line 1, column", id="cut off"),
        pytest.param(lambda text: "", "not JSON", id="empty"),
        pytest.param(lambda text: text.replace("0.25", "0.75", 1), "its checksum does not fit", id="edited"),
        pytest.param(lambda text: '{"a": 1}', "not a run of this benchmark", id="foreign"),
        pytest.param(lambda text: "[1]", "not a run of this benchmark", id="a list"),
        pytest.param(rewritten(format=7), "format 7, but this version reads 1", id="later format"),
        pytest.param(rewritten(run={"task": "digit_8"}), "an entry is missing or unknown", id="half a run"),
    ],
)
def test_a_damaged_file_is_named_not_half_read(damage: Callable[[str], str], says: str, tmp_path: Path) -> None:
    path = write(outcome(), tmp_path)
    path.write_text(damage(path.read_text()))
    with pytest.raises(DamagedRun, match=says) as error:
        present(tmp_path, [RUN])
    assert str(path) in error.value.message
    with pytest.raises(DamagedRun, match=says):
        list(every(tmp_path))


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    path = write(outcome(), tmp_path)
    path.write_bytes(b"{\xff")
    with pytest.raises(DamagedRun, match="byte 1 is not UTF-8"):
        read(path)


def test_a_run_in_the_wrong_place_is_named(tmp_path: Path) -> None:
    path = write(outcome(), tmp_path)
    path.rename(path.with_name("seed4_lr0.01.json"))
    with pytest.raises(DamagedRun, match="holds another run"):
        present(tmp_path, [Run("digit_8", "idw", 0.01, 4)])
    with pytest.raises(DamagedRun, match=r"belongs into digit_8/idw/seed3_lr0\.01\.json"):
        list(every(tmp_path))


def test_runs_that_are_there_are_not_made_again(tmp_path: Path) -> None:
    run = Run("digit_8", "binary cross-entropy", 0.01, 3, epochs=1)
    first = train_all([run], Console(quiet=True), workers=1, folder=tmp_path)
    stamp = (tmp_path / run.file).stat().st_mtime_ns
    again = train_all([run], Console(quiet=True), workers=1, folder=tmp_path)
    assert first[0].test == again[0].test
    assert (tmp_path / run.file).stat().st_mtime_ns == stamp


ARGUMENTS = ["digit_8", "--loss", "binary cross-entropy", "--seeds", "12", "--epochs", "4", "--workers", "1"]


def test_a_sweep_killed_in_the_middle_loses_only_the_run_in_progress(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench", *ARGUMENTS, "--out", str(tmp_path)]
    sweep = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while len(list(tmp_path.rglob("*.json"))) < 2:
            assert time.monotonic() < deadline and sweep.poll() is None
            time.sleep(0.002)
    finally:
        os.kill(sweep.pid, signal.SIGKILL)
        sweep.wait()
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}
    assert 2 <= len(kept) < 12
    assert len(list(every(tmp_path))) == len(kept)  # all of them whole
    resumed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert "12/12" in resumed.stdout
    assert len(list(every(tmp_path))) == 12
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in kept.items())


def test_the_command_line_names_what_it_does_not_know() -> None:
    told = CliRunner().invoke(main, ["digit_9"])
    assert told.exit_code == 2 and "no task is called 'digit_9'; did you mean 'digit_" in told.output
    told = CliRunner().invoke(main, ["digit_8", "--loss", "integrate"])
    assert told.exit_code == 2 and "did you mean 'integrated'?" in told.output
    told = CliRunner().invoke(main, ["digit_8", "--lr", "fast"])
    assert told.exit_code == 2 and "--lr takes numbers separated by commas" in told.output


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is one")
def test_a_device_that_is_not_there_is_refused() -> None:
    told = CliRunner().invoke(main, ["digit_8", "--device", "cuda"])
    assert told.exit_code == 2 and "no CUDA device" in told.output


def test_a_damaged_run_stops_the_command_line_with_its_path(tmp_path: Path) -> None:
    run = Run("digit_8", "pull", 0.001, 0, epochs=1)
    path = tmp_path / run.file
    path.parent.mkdir(parents=True)
    path.write_text("{")
    told = CliRunner().invoke(
        main, ["digit_8", "--loss", "pull", "--seeds", "1", "--epochs", "1", "--out", str(tmp_path)]
    )
    assert told.exit_code == 1
    assert f"{path}: not JSON" in told.output and "delete the file and the run is made again" in told.output

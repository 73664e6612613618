"""One training run as one JSON file: written whole or not at all, checked when read, and named when it is damaged."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import click

FORMAT = 1
REMEDY = "delete the file and the run is made again"


class DamagedRun(click.ClickException):
    """A file that is not a whole run, with its path and what is wrong with it."""

    def __init__(self, path: Path, wrong: str) -> None:
        super().__init__(f"{path}: {wrong}; {REMEDY}")


@dataclass(frozen=True)
class Run:
    """What to train: plain values, so that it can be sent to another process and kept in a file."""

    task: str
    loss: str
    learning_rate: float
    seed: int
    epochs: int | None = None  # the task's own number unless given
    data: str = "bundled"
    device: str = "cpu"

    @property
    def file(self) -> Path:
        """Where its outcome lies, relative to the folder of all runs; `data` has no part in it: one folder, one data set."""
        epochs = "" if self.epochs is None else f"_epochs{self.epochs}"
        return Path(self.task, self.loss, f"seed{self.seed}_lr{self.learning_rate:g}{epochs}.json")


@dataclass(frozen=True)
class Epoch:
    """The end of an epoch: mean loss of its steps, and the metric."""

    loss: float
    train: float | None
    validation: float | None


@dataclass(frozen=True)
class Outcome:
    """What came of a run, in the metric's own units; None where the network's scores were no longer finite."""

    run: Run
    epochs: tuple[Epoch, ...]
    validation: float | None
    test: float | None
    milliseconds: float  # median of a whole training step: network, loss, backward, optimizer
    seconds: float  # the whole run
    failure: str | None  # why the training ended early
    settings: Mapping[str, Any]
    versions: Mapping[str, str]

    def text(self) -> str:
        """The file's content: one line of JSON, its last entry a checksum of all others."""
        body: dict[str, Any] = {"format": FORMAT, **asdict(self)}
        body["run"]["data"] = Path(self.run.data).name  # where the folder lay is nobody's business
        body["epochs"] = {f.name: [_short(getattr(e, f.name)) for e in self.epochs] for f in fields(Epoch)}
        body["milliseconds"], body["seconds"] = round(self.milliseconds, 3), round(self.seconds, 2)
        return _line({**body, "sha256": checksum(body)})


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.5g}")


def _line(body: Mapping[str, Any]) -> str:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False, allow_nan=False) + "\n"


def checksum(body: Mapping[str, Any]) -> str:
    """Of every entry but the checksum itself."""
    rest = {key: value for key, value in body.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def write(outcome: Outcome, folder: Path) -> Path:
    """Replace the file in one step: a process that dies here leaves the old file or none."""
    path = folder / outcome.run.file
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.tmp")
    with unfinished.open("w", encoding="utf-8") as stream:
        stream.write(outcome.text())
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(unfinished, path)
    return path


def read(path: Path) -> Outcome:
    """The outcome in a file, or `DamagedRun`."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise DamagedRun(path, f"not text: byte {error.start} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise DamagedRun(path, f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    if not isinstance(body, dict) or "format" not in body or "sha256" not in body:
        raise DamagedRun(path, "not a run of this benchmark: it has no format and checksum")
    if body["format"] != FORMAT:
        raise DamagedRun(path, f"format {body['format']!r}, but this version reads {FORMAT}")
    if checksum(body) != body["sha256"]:
        raise DamagedRun(path, "its checksum does not fit: it was changed after it was written")
    return _outcome(path, body)


def _outcome(path: Path, body: dict[str, Any]) -> Outcome:
    try:
        series = body["epochs"]
        epochs = tuple(map(Epoch, *(series[f.name] for f in fields(Epoch))))
        known = {f.name: body[f.name] for f in fields(Outcome) if f.name not in ("run", "epochs")}
        return Outcome(run=Run(**body["run"]), epochs=epochs, **known)
    except (KeyError, TypeError) as error:
        raise DamagedRun(path, f"an entry is missing or unknown: {error}") from None


def present(folder: Path, runs: Iterable[Run]) -> dict[Run, Outcome]:
    """The outcomes of those runs that are there already."""
    found = {}
    for run in runs:
        path = folder / run.file
        if path.exists():
            outcome = read(path)
            if _spec(outcome.run) != _spec(run):
                raise DamagedRun(path, f"holds another run: {_spec(outcome.run)} instead of {_spec(run)}")
            found[run] = outcome
    return found


def _spec(run: Run) -> tuple[object, ...]:
    """What must agree; another device would give the same run."""
    return run.task, run.loss, run.learning_rate, run.seed, run.epochs, Path(run.data).name


def every(folder: Path) -> Iterator[Outcome]:
    """All outcomes below a folder, in the order of their names."""
    for path in sorted(folder.rglob("*.json")):
        outcome = read(path)
        if outcome.run.file != path.relative_to(folder):
            raise DamagedRun(path, f"holds the run that belongs into {outcome.run.file}")
        yield outcome

"""What every loader asks of a folder, and the one error it raises: which file, what is wrong, what to put where."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray


class BadData(click.ClickException):
    """A file that is missing or is not what it has to be."""

    def __init__(self, path: Path, wrong: str, remedy: str) -> None:
        super().__init__(f"{path}: {wrong}; {remedy}")
        self.path, self.wrong, self.remedy = path, wrong, remedy


def folder(path: str | Path, remedy: str) -> Path:
    """The folder, if it is one."""
    found = Path(path)
    if not found.is_dir():
        raise BadData(found, "is a file" if found.exists() else "there is no such folder", remedy)
    return found


def first(where: Path, names: Sequence[str], remedy: str) -> Path:
    """The first of the names that is a file in the folder."""
    for name in names:
        if (where / name).is_file():
            return where / name
    there = sorted(path.name for path in where.iterdir())[:5]
    instead = f"it has {', '.join(there)}" if there else "it is empty"
    raise BadData(where, f"has no file {' or '.join(names)} ({instead})", remedy)


def labels_in_range(path: Path, labels: NDArray[np.integer], classes: int, remedy: str) -> None:
    """Every label is one of 0 … classes − 1."""
    outside = np.flatnonzero((labels < 0) | (labels >= classes))
    if len(outside):
        at = int(outside[0])
        raise BadData(path, f"label {int(labels[at])} at place {at} is not in 0 to {classes - 1}", remedy)

"""From the running stack to the place of a step in the user's or a library's source: file, line and instruction."""

from __future__ import annotations

import linecache
import os
import sys
from functools import cache
from pathlib import Path
from types import CodeType, FrameType

import numpy as np
import torch


def _homes(file: str | None, up: int) -> tuple[str, ...]:
    """The folder of a package, as it was imported and as it is: an environment may be a link."""
    paths = Path(str(file)), Path(str(file)).resolve()
    return tuple(str(path.parents[up]) + os.sep for path in paths)


_OWN = _homes(__file__, 2)
_BELOW = (*_homes(np.__file__, 0), *_homes(torch.__file__, 0))

Place = tuple[str, int]
_paths: dict[str, str] = {}  # short name -> file, for those that were met
ENTRANCES: set[CodeType] = set()  # our functions that call a metric: what stands below them is not its source

_FOREIGN, _BETWEEN, _ENTRANCE = range(3)
_kinds: dict[int, tuple[int, CodeType]] = {}  # by identity (hashing a code object hashes all its parts); kept alive
_places: dict[tuple[int, int, str], Place] = {}


def foreign(code: CodeType) -> bool:
    """Whether the code is neither ours nor that of NumPy and torch: there the user's steps are written."""
    return _kind(code) == _FOREIGN


def _kind(code: CodeType) -> int:
    known = _kinds.get(id(code))
    if known is None:
        ours = code.co_filename.startswith((*_OWN, *_BELOW, "<frozen", "<__array_function__"))
        known = _kinds[id(code)] = (_FOREIGN if not ours else _ENTRANCE if code in ENTRANCES else _BETWEEN), code
    return known[0]


def caller() -> FrameType | None:
    """The innermost running frame of foreign code."""
    frame: FrameType | None = sys._getframe(2)  # both callers are ours
    while frame is not None:
        code = frame.f_code
        known = _kinds.get(id(code))
        kind = known[0] if known is not None else _kind(code)
        if kind != _BETWEEN:
            return frame if kind == _FOREIGN else None
        frame = frame.f_back
    return None


def here(what: str) -> Place:
    """A name for the place that runs now, and the instruction: a line may hold several steps."""
    frame = caller()
    if frame is None:  # the metric itself is a call that is not looked into
        return f"the metric {what}", 0
    key = id(frame.f_code), frame.f_lasti, what
    place = _places.get(key)
    if place is None:
        place = _places[key] = f"{_short(frame.f_code)}:{frame.f_lineno} {what}", frame.f_lasti
    return place


@cache
def _short(code: CodeType) -> str:
    path = Path(code.co_filename)
    name = f"{path.parent.name}/{path.name}"
    _paths[name] = code.co_filename
    return name


def where(place: Place) -> tuple[str, int]:
    """File and line of a place that was met."""
    name, _, line = place[0].rpartition(" ")[0].rpartition(":")
    return _paths.get(name, name), int(line) if line.isdigit() else 0


def checked(error: Exception) -> bool:
    """Whether an exception was raised by foreign code itself: a check of its arguments."""
    trace = error.__traceback__
    if trace is None:
        return False
    while trace.tb_next is not None:
        trace = trace.tb_next
    return foreign(trace.tb_frame.f_code) and "raise" in linecache.getline(
        trace.tb_frame.f_code.co_filename, trace.tb_lineno
    )

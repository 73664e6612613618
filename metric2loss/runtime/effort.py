"""How dear one plain run of g is, in calls of functions: the same on every machine, so that what is decided by it is, too."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

NUMBERS = 40  # a call costs as much as handing so many numbers to a batched g


def calls(run: Callable[[], Any]) -> int:
    """Functions called by one run, Python's and C's."""
    count = 0

    def counted(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        run()
    finally:
        sys.setprofile(before)
    return count

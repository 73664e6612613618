"""How dear one plain run of g is, in calls of functions: the same on every machine, so that what is decided by it is, too."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode

NUMBERS = 40  # a call costs as much as handing so many numbers to a batched g
PASSES = 32  # so many operations on its numbers are what a batched g is expected to take


def calls(run: Callable[[], Any]) -> int:
    """Functions called by one run, Python's and C's."""
    count = 0

    def counted(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before: Any = sys.getprofile()
    suspended = hasattr(before, "enable")  # cProfile's object, which is no function to be put back
    if suspended:
        before.disable()
    sys.setprofile(counted)
    try:
        run()
    finally:
        sys.setprofile(None if suspended else before)
        if suspended:
            before.enable()
    return count


class Handled(TorchFunctionMode):
    """Counts the numbers that torch functions return inside of it; under vmap those of one configuration."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        if type(found) is Tensor:
            self.numbers += found.numel()
        return found

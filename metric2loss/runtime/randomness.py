"""The generator of a loss, in copies and pickles, too."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class Randomness:
    """Holds a generator; copies and pickles of it continue from its state."""

    def __init__(self, generator: torch.Generator | None) -> None:
        self.generator = generator

    def __getstate__(self) -> tuple[str, Tensor] | None:
        return None if self.generator is None else (str(self.generator.device), self.generator.get_state())

    def __setstate__(self, state: tuple[str, Tensor] | None) -> None:
        self.generator = None
        if state is not None:
            self.generator = torch.Generator(state[0])
            self.generator.set_state(state[1])

    def __reduce__(self) -> Any:
        return Randomness, (None,), self.__getstate__()

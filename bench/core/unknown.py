"""The error for a name that nothing has: it says which names are near and which there are."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


class UnknownName(ValueError):
    """A task, loss or group that does not exist."""

    def __init__(self, kind: str, name: str, known: Sequence[str]) -> None:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        meant = f"did you mean {near[0]!r}? " if near else ""
        super().__init__(f"no {kind} is called {name!r}; {meant}there are {', '.join(known)}")

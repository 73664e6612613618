"""Single entries of arrays, taken one by one in a loop, as one tensor again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def elements(found: Sequence[Any]) -> Tensor:
    """Entries (`Element`) of arrays as one tensor [n], taken array by array."""
    parents: dict[int, Tensor] = {}
    starts: dict[int, int] = {}
    places, total = [], 0
    for x in found:
        parent = x.parent
        if parent is None:
            return torch.stack([x.tensor.reshape(()) for x in found])
        if id(parent) not in starts:
            parents[id(parent)], starts[id(parent)] = parent, total
            total += len(parent)
        places.append(starts[id(parent)] + x.place)
    together = [*parents.values()]
    return (together[0] if len(together) == 1 else torch.cat(together))[torch.tensor(places)]

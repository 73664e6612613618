"""Numbers and truth values by rows: the largest, how many are true, which, and in which order.

On a CPU NumPy's ways, where they are several times as fast as torch's.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

_SMALL = 2**14  # words whose sums take less time than the calls of torch
_WORDS = 255  # of eight bytes each, that can be added as one long number without overflow


def amounts(mask: Tensor) -> Tensor:
    """Number of true entries of each row, LongTensor[R]."""
    n = mask.shape[1]
    if mask.device.type != "cpu" or not mask.numel():
        return mask.sum(1)
    rows = mask.numpy()
    if len(rows) == 1:
        return torch.tensor([np.count_nonzero(rows)])
    if n % 8 == 0 and n <= 8 * _WORDS and rows.flags.c_contiguous:
        rows = np.add.reduce(rows.view(np.uint64), axis=1).view(np.uint8).reshape(-1, 8)
    return torch.from_numpy(np.add.reduce(rows, axis=1, dtype=np.int64))


def largest(x: Tensor) -> Tensor:
    """The place of the largest number of each row, LongTensor[R, 1]."""
    if x.device.type != "cpu":
        return x.argmax(1, keepdim=True)
    return torch.from_numpy(x.numpy().argmax(1)).unsqueeze(1)


def first(mask: Tensor) -> Tensor:
    """The place of the first true entry of each row (0 where none is), LongTensor[R]."""
    if mask.device.type != "cpu":
        return mask.to(torch.uint8).argmax(-1)
    return torch.from_numpy(mask.numpy().argmax(-1))  # stops at the first true one, torch compares all


def flat_places(mask: Tensor) -> Tensor:
    """The place of each true entry among all."""
    if mask.device.type != "cpu":
        return mask.reshape(-1).nonzero().flatten()
    return torch.from_numpy(np.flatnonzero(mask.numpy()))


def places(mask: Tensor) -> Tensor:
    """The place in its row of each true entry, row by row."""
    found = flat_places(mask)
    return found if len(mask) == 1 else found % mask.shape[1]


def true_first(mask: Tensor) -> Tensor:
    """The places of each row, those of true entries first, else in order: LongTensor[R, n]."""
    if mask.device.type != "cpu":
        return torch.argsort((~mask).to(torch.uint8), dim=1, stable=True)
    return torch.from_numpy(np.argsort((~mask.numpy()).view(np.uint8), axis=1, kind="stable"))


def true_along(bits: Tensor) -> tuple[Tensor, Tensor]:
    """True entries of BoolTensor[..., p, n] along the last axis and along the one before.

    Sums of truth values are not vectorised; eight bytes are added at once as one long number, 255 times without overflow.
    """
    n = bits.shape[-1]
    if not bits.numel():
        return bits.sum(-1), bits.sum(-2)
    words = _words(bits)
    if words.device.type == "cpu" and words.numel() <= _SMALL and max(words.shape[-2:]) <= _WORDS:
        return _few_along(words.numpy(), n)
    last = [part.sum(-1, keepdim=True).view(torch.uint8).sum(-1) for part in _few(words, -1)]
    before = [part.sum(-2).view(torch.uint8)[..., :n].long() for part in _few(words, -2)]
    return sum(last[1:], last[0]), sum(before[1:], before[0])


def counted_along(bits: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """The same on a CPU as NumPy's, of many at once."""
    words, size = _words(bits), bits.shape[-2]
    last = _of_bytes(words.sum(-1).numpy()) if words.shape[-1] <= _WORDS else true_along(bits)[0].numpy()
    starts = range(0, size, _WORDS)
    parts = [words.narrow(-2, start, min(_WORDS, size - start)).sum(-2).numpy() for start in starts]
    before = sum(part.view(np.uint8)[..., : bits.shape[-1]].astype(np.int64) for part in parts)
    return last, before  # type: ignore[return-value]


def _words(bits: Tensor) -> Tensor:
    """Eight truth values of the last axis in each long number."""
    n = bits.shape[-1]
    if n % 8:
        bits = torch.nn.functional.pad(bits, (0, -n % 8))
    bits = bits.contiguous()
    if bits.storage_offset() % 8:  # part of a longer list
        bits = bits.clone()
    return bits.view(torch.int64)


def _of_bytes(words: np.ndarray) -> np.ndarray:
    """The sum of the eight bytes of each long number: two by two into sixteen bits each, then all four of these."""
    pairs = (words & 0x00FF00FF00FF00FF) + ((words >> 8) & 0x00FF00FF00FF00FF)
    found: np.ndarray = (pairs * 0x0001000100010001) >> 48
    return found


def _few_along(words: np.ndarray, n: int) -> tuple[Tensor, Tensor]:
    """The same of so few that the calls cost more than the sums."""
    last = _of_bytes(np.add.reduce(words, axis=-1))
    before = np.add.reduce(words, axis=-2).view(np.uint8)[..., :n].astype(np.int64)
    return torch.from_numpy(last), torch.from_numpy(before)


def _few(words: Tensor, axis: int) -> tuple[Tensor, ...]:
    return (words,) if words.shape[axis] <= _WORDS else torch.split(words, _WORDS, axis)

"""Reads pickles that hold arrays of bytes, strings, numbers, lists and dictionaries, and refuses all others before anything of theirs runs.

A pickle is a program that may call anything it can name. Here it can name three things: what a pickled NumPy array needs.
Each name stands for an object of this file, so that nothing of NumPy is called by the file.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

ADMITTED = "arrays, strings, bytes, numbers, lists and dictionaries"


class Refused(pickle.UnpicklingError):
    """The pickle names something else."""


class _Kind:
    """Stands for a dtype: only unsigned bytes."""

    __slots__ = ()

    def __call__(self, code: Any, *_: Any) -> _Kind:
        if code not in ("u1", b"u1", "|u1", b"|u1"):
            raise Refused(f"an array of {code!r}: only unsigned bytes are read")
        return _BYTES

    def __setstate__(self, state: Any) -> None:
        """Byte order and alignment: without meaning for single bytes."""


class _ArrayType:
    """Stands for numpy.ndarray, which is only handed on."""

    __slots__ = ()


class _Array:
    """Stands for an array until its state is read."""

    __slots__ = ("array",)

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, by_columns, content = state
        if (
            kind is not _BYTES
            or not isinstance(content, bytes)
            or not all(isinstance(n, int) and n >= 0 for n in shape)
        ):
            raise Refused("an array that is not made of unsigned bytes")
        self.array = np.frombuffer(content, np.uint8).reshape(shape, order="F" if by_columns else "C")


class _Reconstruct:
    """Stands for numpy's function that makes an empty array."""

    __slots__ = ()

    def __call__(self, *_: Any) -> _Array:
        return _Array()


_BYTES, _ARRAY_TYPE, _RECONSTRUCT = _Kind(), _ArrayType(), _Reconstruct()
_NAMES: dict[tuple[str, str], object] = {
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy", "ndarray"): _ARRAY_TYPE,
    ("numpy", "dtype"): _BYTES,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _NAMES:
            raise Refused(f"it names {module}.{name}: only {ADMITTED} are read")
        return _NAMES[module, name]

    def persistent_load(self, pid: Any) -> NoReturn:
        raise Refused("it refers to things outside the file")


def load(path: Path) -> Any:
    """What is in the file; `pickle.UnpicklingError` for all that is not whole or not admitted. Strings of Python 2 are bytes."""
    try:
        with path.open("rb") as stream:
            return _admitted(_Unpickler(stream, encoding="bytes").load())
    except pickle.UnpicklingError:
        raise
    except Exception as error:  # noqa: BLE001  # a damaged pickle makes the machine that runs it fail in any way
        raise pickle.UnpicklingError(f"{type(error).__name__}: {error}") from None


def _admitted(value: Any) -> Any:
    """Arrays in place of what stands for them; nothing else that stands for something is left."""
    if isinstance(value, _Array):
        return value.array
    if isinstance(value, dict):
        return {_admitted(key): _admitted(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_admitted(entry) for entry in value]
    if value is None or isinstance(value, (str, bytes, int, float)):
        return value
    raise Refused(f"it holds a {type(value).__name__}: only {ADMITTED} are read")

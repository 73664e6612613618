"""Writes pickles as Python 2 wrote CIFAR's batches: byte strings for all strings, NumPy's old module names."""

from __future__ import annotations

import io
import pickle
import struct
from pathlib import Path
from typing import Any, ClassVar


class _Pickler(pickle._Pickler):  # type: ignore[name-defined,misc]  # the pickler in Python, whose opcodes can be chosen
    dispatch: ClassVar[dict[Any, Any]] = dict(pickle._Pickler.dispatch)  # type: ignore[attr-defined]

    def save_bytes(self, value: bytes) -> None:
        short = len(value) < 256
        self.write(b"U" + bytes([len(value)]) if short else b"T" + struct.pack("<i", len(value)))
        self.write(value)
        self.memoize(value)

    def save_str(self, value: str) -> None:
        self.save_bytes(value.encode("latin1"))

    def save_global(self, value: Any, name: str | None = None) -> None:
        module = value.__module__.replace("numpy._core", "numpy.core")
        self.write(f"c{module}\n{name or value.__qualname__}\n".encode())
        self.memoize(value)

    dispatch[bytes], dispatch[str] = save_bytes, save_str
    dispatch[type] = dispatch[type(len)] = dispatch[type(save_bytes)] = save_global


def write(path: Path, value: Any) -> None:
    """Protocol 2."""
    buffer = io.BytesIO()
    _Pickler(buffer, 2).dump(value)
    path.write_bytes(buffer.getvalue())

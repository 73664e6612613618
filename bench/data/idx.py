"""Reads MNIST from its IDX files, plain or gzipped."""

from __future__ import annotations

import gzip
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from bench.data.checks import BadData, first, folder, labels_in_range

Bytes = NDArray[np.uint8]

REMEDY = (
    "put MNIST's train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte "
    "(plain or .gz) there"
)
MAGIC = {1: 0x00000801, 3: 0x00000803}  # unsigned bytes in so many dimensions
MOST = 2**31  # bytes: a larger file is not MNIST


@dataclass(frozen=True)
class Images:
    """Pixels (n, height, width) and a label each."""

    pixels: Bytes
    labels: Bytes

    def __len__(self) -> int:
        return len(self.labels)


def mnist(path: str | Path) -> tuple[Images, Images]:
    """Training and test images of the folder."""
    where = folder(path, REMEDY)
    return _part(where, "train"), _part(where, "t10k")


def _part(where: Path, part: str) -> Images:
    images = first(where, _names(f"{part}-images", 3), REMEDY)
    labels = first(where, _names(f"{part}-labels", 1), REMEDY)
    found = Images(read(images, 3), read(labels, 1))
    if found.pixels.shape[1:] != (28, 28):
        raise BadData(images, f"images of {found.pixels.shape[1:]} pixels instead of 28 x 28", REMEDY)
    if len(found.pixels) != len(found.labels):
        raise BadData(labels, f"{len(found.labels)} labels for {len(found.pixels)} images of {images.name}", REMEDY)
    labels_in_range(labels, found.labels, 10, REMEDY)
    return found


def _names(stem: str, dimensions: int) -> tuple[str, ...]:
    """As the files are called, and as some unpacking programs call them."""
    plain = (f"{stem}-idx{dimensions}-ubyte", f"{stem}.idx{dimensions}-ubyte")
    return *plain, *(f"{name}.gz" for name in plain)


def read(path: Path, dimensions: int) -> Bytes:
    """The array of one IDX file of unsigned bytes."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            return _array(path, stream, dimensions)  # type: ignore[arg-type]  # GzipFile is a BinaryIO in all that matters
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadData(path, f"cannot be unpacked: {error}", REMEDY) from None


def _array(path: Path, stream: BinaryIO, dimensions: int) -> Bytes:
    header = stream.read(4 + 4 * dimensions)
    if len(header) < 4 + 4 * dimensions:
        raise BadData(path, f"ends after {len(header)} bytes, within its header", REMEDY)
    magic, *shape = struct.unpack(f">{1 + dimensions}I", header)
    if magic != MAGIC[dimensions]:
        raise BadData(path, f"starts with {magic:#010x} instead of {MAGIC[dimensions]:#010x}", REMEDY)
    size = 1
    for extent in shape:
        size *= extent
    if not 0 < size <= MOST:
        raise BadData(path, f"announces {' x '.join(map(str, shape))} bytes", REMEDY)
    content = stream.read(size + 1)  # one more: a longer file is as wrong as a shorter one
    if len(content) != size:
        has = "more" if len(content) > size else str(len(content))
        raise BadData(path, f"has {has} bytes of data instead of {' x '.join(map(str, shape))} = {size}", REMEDY)
    return np.frombuffer(content, np.uint8).reshape(shape)

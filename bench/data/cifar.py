"""Reads CIFAR-10 and CIFAR-100 from their Python batches."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.data.checks import BadData, first, folder, labels_in_range
from bench.data.idx import Images
from bench.data.pickles import load

PIXELS = 3 * 32 * 32


@dataclass(frozen=True)
class Layout:
    """How one of the two data sets lies on disk."""

    classes: int
    subfolder: str  # as the archive unpacks
    train: tuple[str, ...]
    test: str
    labels: bytes

    @property
    def remedy(self) -> str:
        names = ", ".join((*self.train, self.test))
        return f"put the files of CIFAR-{self.classes}'s Python version ({names}) there or in {self.subfolder} in it"


LAYOUTS = {
    10: Layout(10, "cifar-10-batches-py", tuple(f"data_batch_{k}" for k in range(1, 6)), "test_batch", b"labels"),
    100: Layout(100, "cifar-100-python", ("train",), "test", b"fine_labels"),
}


def cifar(path: str | Path, classes: int) -> tuple[Images, Images]:
    """Training and test images of the folder; pixels (n, 3, 32, 32)."""
    layout = LAYOUTS[classes]
    where = folder(path, layout.remedy)
    if (where / layout.subfolder).is_dir():
        where = where / layout.subfolder
    parts = [_batch(first(where, (name,), layout.remedy), layout) for name in layout.train]
    joined = Images(np.concatenate([p.pixels for p in parts]), np.concatenate([p.labels for p in parts]))
    return joined, _batch(first(where, (layout.test,), layout.remedy), layout)


def classes_of(path: str | Path) -> int:
    """10 or 100, by the files that are there; CIFAR-10 where both are."""
    where = folder(path, " or ".join(layout.remedy for layout in LAYOUTS.values()))
    for classes, layout in LAYOUTS.items():
        if any((place / layout.test).is_file() for place in (where, where / layout.subfolder)):
            return classes
    raise BadData(where, "has the batches of neither CIFAR-10 nor CIFAR-100", LAYOUTS[10].remedy)


def _batch(path: Path, layout: Layout) -> Images:
    try:
        content: Any = load(path)
    except pickle.UnpicklingError as error:
        raise BadData(path, f"cannot be read as a batch of images: {error}", layout.remedy) from None
    if not isinstance(content, dict) or not {b"data", layout.labels} <= set(content):
        has = ", ".join(sorted(map(repr, content))) if isinstance(content, dict) else type(content).__name__
        raise BadData(path, f"has no data with {layout.labels.decode()} (it is {has})", layout.remedy)
    data, labels = content[b"data"], content[layout.labels]
    if not isinstance(data, np.ndarray) or data.ndim != 2 or data.shape[1] != PIXELS:
        shape = getattr(data, "shape", type(data).__name__)
        raise BadData(path, f"its data is {shape} instead of (images, {PIXELS})", layout.remedy)
    if not isinstance(labels, list) or not all(isinstance(label, int) for label in labels):
        raise BadData(path, f"its {layout.labels.decode()} are not a list of numbers", layout.remedy)
    if len(labels) != len(data):
        raise BadData(path, f"{len(labels)} labels for {len(data)} images", layout.remedy)
    numbers = np.array(labels, np.int64)
    labels_in_range(path, numbers, layout.classes, layout.remedy)
    return Images(data.reshape(-1, 3, 32, 32), numbers.astype(np.uint8))

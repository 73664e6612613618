"""Writes small data sets in their true formats."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bench.data import cifar as cifars
from bench.data import letor
from tests.bench import python2


def idx_bytes(array: np.ndarray) -> bytes:
    return struct.pack(f">{1 + array.ndim}I", 0x800 + array.ndim, *array.shape) + array.tobytes()


def mnist_folder(where: Path, n: int) -> Path:
    rng = np.random.default_rng(0)
    for part in ("train", "t10k"):
        pixels, labels = (
            rng.integers(0, 256, (n, 28, 28), np.uint8),
            rng.permutation(np.arange(n) % 10).astype(np.uint8),
        )
        (where / f"{part}-images-idx3-ubyte").write_bytes(idx_bytes(pixels))
        (where / f"{part}-labels-idx1-ubyte").write_bytes(idx_bytes(labels))
    return where


def cifar_batch(n: int, classes: int) -> dict[str, Any]:
    rng = np.random.default_rng(classes)
    key = "labels" if classes == 10 else "fine_labels"
    return {
        "data": rng.integers(0, 256, (n, 3072), dtype=np.uint8),
        key: [int(label) for label in rng.integers(0, classes, n)],
        "filenames": [f"{k}.png" for k in range(n)],
        "batch_label": "a batch",
    }


def cifar_folder(where: Path, classes: int, nested: bool = False, n: int = 4) -> Path:
    layout = cifars.LAYOUTS[classes]
    place = where / layout.subfolder if nested else where
    place.mkdir(exist_ok=True)
    for name in (*layout.train, layout.test):
        python2.write(place / name, cifar_batch(n, classes))
    return where


def letor_fold(where: Path, queries: int) -> Path:
    rng = np.random.default_rng(0)
    for part in letor.PARTS:
        lines = [
            f"{rng.integers(0, 5)} qid:{query} 1:{rng.normal():.4f} 2:{rng.normal():.4f} 5:1 # {document}\n"
            for query in range(queries)
            for document in range(3 + query % 4)
        ]
        (where / f"{part}.txt").write_text("".join(lines))
    return where


def person(name: str, **change: Any) -> dict[str, Any]:
    """One entry of MPII's annotations as JSON."""
    joints = [[10.0 + k, 20.0 + k] for k in range(16)]
    joints[8], joints[9] = [101.0, 61.0], [101.0, 31.0]
    entry = {"image": name, "center": [101.0, 96.0], "scale": 1.0, "joints": joints, "joints_vis": [1] * 16}
    return {**entry, **change}


def mpii_folder(where: Path, people: int) -> Path:
    (where / "images").mkdir()
    picture = np.zeros((200, 220, 3), np.uint8)
    picture[28:33, 98:103] = 255  # around the head's top
    Image.fromarray(picture).save(where / "images" / "a.png")
    (where / "train.json").write_text(json.dumps([person("a.png")] * people))
    (where / "valid.json").write_text(json.dumps([person("a.png", head_box=[91, 31, 121, 71])] * 2))
    return where

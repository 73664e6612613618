"""Reads the heads of MPII: people with both head joints, their crops, and the size that PCKh measures in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from math import dist
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.data.checks import BadData, first, folder

REMEDY = (
    "put MPII's pictures into a folder images there, and beside it either mpii_human_pose_v1_u12_1.mat or train.json and "
    "valid.json (a list of entries with image, center, scale, joints, joints_vis)"
)
NECK, TOP, JOINTS = 8, 9, 16  # MPII's numbers of the joints of a head
BIAS = 0.6  # head size = 0.6 times the diagonal of the head's box, as in MPII's own evaluation
PERSON = 200  # pixels a person of scale 1 is high


@dataclass(frozen=True)
class Head:
    """One person's head in its picture, in pixels counted from 0."""

    picture: Path
    center: tuple[float, float]
    scale: float
    joints: tuple[tuple[float, float], tuple[float, float]]  # upper neck, head top
    size: float

    def box(self) -> tuple[float, float, float]:
        """Left, top and side of the square that is cut out: the person with a margin, as Newell et al. do."""
        side = 1.25 * self.scale * PERSON
        return self.center[0] - side / 2, self.center[1] + 15 * self.scale - side / 2, side


@dataclass(frozen=True)
class Crops:
    """Pictures (n, 3, side, side), joints (n, 2, 2) as x, y and head sizes (n,) in pixels of the heat map."""

    pictures: NDArray[np.uint8]
    joints: NDArray[np.int64]
    sizes: NDArray[np.float64]


def mpii(path: str | Path) -> tuple[list[Head], list[Head]]:
    """The heads to train with, and those of valid.json; the .mat has no such division, and the second list is empty."""
    where = folder(path, REMEDY)
    pictures = folder(where / "images", REMEDY)
    mat = where / "mpii_human_pose_v1_u12_1.mat"
    if mat.is_file():
        return _checked(mat, list(_of_mat(mat, pictures))), []
    annotations = where / "annot" if (where / "annot").is_dir() else where
    files = [first(annotations, (name,), REMEDY) for name in ("train.json", "valid.json")]
    train, valid = (_checked(file, list(_of_json(file, pictures))) for file in files)
    return train, valid


def _checked(file: Path, heads: list[Head]) -> list[Head]:
    if not heads:
        raise BadData(file, "has nobody with both joints of the head", REMEDY)
    for head in heads:
        if (
            not head.size > 0
            or not head.scale > 0
            or not np.isfinite([*head.center, *head.joints[0], *head.joints[1]]).all()
        ):
            raise BadData(
                file, f"the size, scale or place of a head in {head.picture.name} is no positive number", REMEDY
            )
        if not head.picture.is_file():
            raise BadData(head.picture, f"is missing, but {file.name} speaks of it", REMEDY)
    return heads


def _of_json(file: Path, pictures: Path) -> Iterator[Head]:
    """Entries as pose projects exchange them; without a `head_box`, the size is the distance from neck to top."""
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadData(file, f"is not JSON: {error}", REMEDY) from None
    if not isinstance(entries, list):
        raise BadData(file, f"is a {type(entries).__name__} instead of a list of people", REMEDY)
    for number, entry in enumerate(entries):
        try:
            found = _entry(entry, pictures)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise BadData(file, f"entry {number} is incomplete: {type(error).__name__} {error}", REMEDY) from None
        if found is not None:
            yield found


def _entry(entry: dict[str, Any], pictures: Path) -> Head | None:
    joints, seen = entry["joints"], entry["joints_vis"]
    if len(joints) != JOINTS or len(seen) != JOINTS:
        raise ValueError(f"{len(joints)} joints instead of {JOINTS}")
    if not (seen[NECK] and seen[TOP]):
        return None
    neck, top = _from_zero(joints[NECK]), _from_zero(joints[TOP])
    box = entry.get("head_box")
    size = dist(neck, top) if box is None else BIAS * dist(box[:2], box[2:])
    return Head(
        pictures / Path(entry["image"]).name, _from_zero(entry["center"]), float(entry["scale"]), (neck, top), size
    )


def _from_zero(point: Any) -> tuple[float, float]:
    """MPII counts pixels from 1."""
    x, y = point
    return float(x) - 1, float(y) - 1


def _of_mat(file: Path, pictures: Path) -> Iterator[Head]:
    """The people of the training pictures in MPII's own file."""
    from scipy.io import loadmat  # a test dependency: only who reads the .mat needs it

    try:
        release = loadmat(file, squeeze_me=True, struct_as_record=False)["RELEASE"]
        pairs = list(zip(_several(release.annolist), _several(release.img_train), strict=True))
    except Exception as error:  # noqa: BLE001  # scipy raises whatever a damaged file leads it to
        raise BadData(file, f"cannot be read as MPII's annotations: {type(error).__name__} {error}", REMEDY) from None
    for annotation, training in pairs:
        if training:
            for person in _several(annotation.annorect):
                found = _person(person, pictures / str(annotation.image.name))
                if found is not None:
                    yield found


def _several(value: Any) -> list[Any]:
    """What squeezing made of one or none."""
    return list(np.atleast_1d(value).flatten())


def _person(person: Any, picture: Path) -> Head | None:
    """None for people without a position or without both joints."""
    try:
        points = {int(point.id): (point.x, point.y) for point in _several(person.annopoints.point)}
        center, scale = (person.objpos.x, person.objpos.y), float(person.scale)
        box = [float(getattr(person, name)) for name in ("x1", "y1", "x2", "y2")]
        joints = _from_zero(points[NECK]), _from_zero(points[TOP])
        return Head(picture, _from_zero(center), scale, joints, BIAS * dist(box[:2], box[2:]))
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def crops(heads: list[Head], side: int, heat: int) -> Crops:
    """Every head's person cut out and scaled to `side` pixels; joints and sizes in pixels of a heat map of `heat`."""
    pictures = np.zeros((len(heads), 3, side, side), np.uint8)
    joints, sizes = np.zeros((len(heads), 2, 2), np.int64), np.zeros(len(heads))
    for number, head in enumerate(heads):
        left, top, extent = head.box()
        pictures[number] = _cut(head.picture, (left, top, left + extent, top + extent), side)
        places = (np.array(head.joints) - (left, top)) * heat / extent
        joints[number] = np.clip(np.round(places), 0, heat - 1)
        sizes[number] = head.size * heat / extent
    return Crops(pictures, joints, sizes)


def _cut(picture: Path, box: tuple[float, float, float, float], side: int) -> NDArray[np.uint8]:
    from PIL import Image, UnidentifiedImageError  # comes with matplotlib; only MPII has pictures to decode

    try:
        with Image.open(picture) as image:
            whole = tuple(round(edge) for edge in box)
            cut = image.convert("RGB").crop(whole).resize((side, side), Image.Resampling.BILINEAR)
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise BadData(picture, f"is no whole picture: {error}", REMEDY) from None
    pixels: NDArray[np.uint8] = np.asarray(cut, np.uint8).transpose(2, 0, 1)
    return pixels

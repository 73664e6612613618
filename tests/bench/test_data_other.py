"""LETOR and MPII loaders on small files of the true formats, whole and damaged; the bundled stand-ins."""

from __future__ import annotations

import json
from math import dist
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from bench.data import bundled, letor, mpii
from bench.data.checks import BadData
from tests.bench.files import mpii_folder, person

LINES = """\
2 qid:10 1:0.5 2:-1e-3 4:1 # docid = 1
0 qid:10 1:0 3:.25 #docid = 2
# only a comment
1 qid:11 2:3.

0 qid:11 1:1 2:2 3:3 4:4
4 qid:11
"""


@pytest.fixture
def fold(tmp_path: Path) -> Path:
    for part in letor.PARTS:
        (tmp_path / f"{part}.txt").write_text(LINES)
    return tmp_path


def test_queries_are_read_and_padded(fold: Path) -> None:
    train, _, test = letor.letor(fold)
    assert train.grades.tolist() == [[2, 0, 0], [1, 0, 4]]
    assert train.present.tolist() == [[True, True, False], [True, True, True]]
    expected = [[[0.5, -0.001, 0, 1], [0, 0, 0.25, 0], [0] * 4], [[0, 3, 0, 0], [1, 2, 3, 4], [0] * 4]]
    assert np.allclose(test.features, expected)
    assert len(train) == 2


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("x qid:12 1:0", "not `grade qid:Q feature:value"),
        ("1 1:0.5 2:1", "not `grade qid:Q"),
        ("1 qid:12 0:0.5", "not `grade qid:Q"),
        ("1 qid:12 1:nan", "not `grade qid:Q"),
        ("-1 qid:12 1:0", "not `grade qid:Q"),
        ("1 qid:12 2:0 1:0", "features are not in ascending order"),
        ("1 qid:12 1:0 1:0", "features are not in ascending order"),
        ("40 qid:12 1:0", "grade 40 is above 31"),
        ("1 qid:10 1:0", "query 10 goes on after another one began"),
    ],
)
def test_lines_that_are_wrong_are_named(fold: Path, line: str, wrong: str) -> None:
    (fold / "vali.txt").write_text(LINES + line + "\n")
    with pytest.raises(BadData, match=f"vali.txt: line 8: {wrong}") as caught:
        letor.letor(fold)
    assert "put train.txt, vali.txt and test.txt" in str(caught.value)


def test_folders_without_queries_say_what_belongs_there(fold: Path) -> None:
    (fold / "test.txt").write_text("\n")
    with pytest.raises(BadData, match=r"test.txt: has no documents; put train.txt"):
        letor.letor(fold)
    (fold / "test.txt").unlink()
    with pytest.raises(BadData, match=r"no file test.txt or test.svm or test.dat"):
        letor.letor(fold)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    mpii_folder(tmp_path, 1)
    hidden = person("a.png", joints_vis=[1] * 9 + [0] * 7)
    (tmp_path / "train.json").write_text(json.dumps([person("a.png"), hidden]))
    return tmp_path


def test_heads_are_read_from_json(people: Path) -> None:
    train, valid = mpii.mpii(people)
    assert [head.size for head in train] == [30.0]  # neck to top
    assert valid[0].size == pytest.approx(0.6 * 50)
    assert train[0].joints == ((100.0, 60.0), (100.0, 30.0))
    assert train[0].center == (100.0, 95.0)


def test_crops_put_joints_where_the_picture_has_them(people: Path) -> None:
    train, _ = mpii.mpii(people)
    found = mpii.crops(train, side=224, heat=56)
    assert found.pictures.shape == (1, 3, 224, 224)
    row, column = np.unravel_index(found.pictures[0, 0].argmax(), (224, 224))
    assert dist(found.joints[0, 1], (column / 4, row / 4)) < 2
    assert found.sizes[0] == pytest.approx(30 * 56 / 250)


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ("[", "train.json: is not JSON"),
        ("{}", "train.json: is a dict instead of a list"),
        ("[{}]", "entry 0 is incomplete: KeyError 'joints'"),
        (json.dumps([person("a.png"), person("a.png", joints=[[1, 2]])]), "entry 1 is incomplete: .* 1 joints instead"),
        (json.dumps([person("a.png", center=[1])]), "entry 0 is incomplete: ValueError"),
        (json.dumps([person("a.png", scale=0)]), "scale or place of a head in a.png is no positive number"),
        (json.dumps([person("a.png", joints_vis=[0] * 16)]), "has nobody with both joints"),
        (json.dumps([person("b.png")]), "b.png: is missing, but train.json speaks of it"),
    ],
)
def test_annotations_that_are_wrong_are_named(people: Path, content: str, wrong: str) -> None:
    (people / "train.json").write_text(content)
    with pytest.raises(BadData, match=wrong) as caught:
        mpii.mpii(people)
    assert "put MPII's pictures into a folder images" in str(caught.value)


def test_pictures_are_never_read_from_outside_the_folder(people: Path) -> None:
    (people / "train.json").write_text(json.dumps([person("../../a.png")]))
    train, _ = mpii.mpii(people)
    assert train[0].picture == people / "images" / "a.png"


def test_a_damaged_picture_is_named(people: Path) -> None:
    whole = (people / "images" / "a.png").read_bytes()
    for content in (whole[:-30], b"GIF"):
        (people / "images" / "a.png").write_bytes(content)
        with pytest.raises(BadData, match=r"a.png: is no whole picture"):
            mpii.crops(mpii.mpii(people)[0], side=64, heat=16)


def test_folders_without_pictures_or_annotations_say_what_belongs_there(people: Path, tmp_path: Path) -> None:
    (people / "valid.json").unlink()
    with pytest.raises(BadData, match=r"no file valid.json"):
        mpii.mpii(people)
    (people / "images" / "a.png").unlink()
    (people / "images").rmdir()
    with pytest.raises(BadData, match=r"images: there is no such folder; put MPII's"):
        mpii.mpii(people)


def point(number: int, x: float, y: float) -> dict[str, Any]:
    return {"x": x, "y": y, "id": number, "is_visible": 1}


def struct_array(entries: list[dict[str, Any]]) -> np.ndarray:
    """MATLAB's struct array: scipy writes an object array of records."""
    result = np.empty((1, len(entries)), [(key, object) for key in entries[0]])
    for k, entry in enumerate(entries):
        result[0, k] = tuple(entry.values())
    return result


def rect(points: list[dict[str, Any]]) -> dict[str, Any]:
    box = {"x1": 91, "y1": 31, "x2": 121, "y2": 71}
    return {**box, "annopoints": {"point": struct_array(points)}, "scale": 1.0, "objpos": {"x": 101, "y": 96}}


def test_heads_are_read_from_the_mat(people: Path) -> None:
    both, one = [point(8, 101.0, 61.0), point(9, 101.0, 31.0)], [point(8, 1.0, 1.0)]
    annotations = [
        {"image": {"name": "a.png"}, "annorect": struct_array([rect(both), rect(one)])},
        {"image": {"name": "test.png"}, "annorect": struct_array([rect(both)])},
        {"image": {"name": "a.png"}, "annorect": np.empty((0, 0))},
    ]
    release = {"annolist": struct_array(annotations), "img_train": np.array([[1, 0, 1]])}
    savemat(people / "mpii_human_pose_v1_u12_1.mat", {"RELEASE": release})
    train, valid = mpii.mpii(people)
    assert valid == []
    assert [head.joints for head in train] == [((100.0, 60.0), (100.0, 30.0))]
    assert train[0].size == pytest.approx(0.6 * 50)


@pytest.mark.parametrize("content", [b"", b"no mat", b"MATLAB 5.0" + b"\0" * 200])
def test_a_damaged_mat_is_named(people: Path, content: bytes) -> None:
    (people / "mpii_human_pose_v1_u12_1.mat").write_bytes(content)
    with pytest.raises(BadData, match="cannot be read as MPII's annotations"):
        mpii.mpii(people)
    savemat(people / "mpii_human_pose_v1_u12_1.mat", {"other": 1})
    with pytest.raises(BadData, match="KeyError 'RELEASE'"):
        mpii.mpii(people)


def test_flipped_labels_are_exactly_the_share_and_new_for_every_seed() -> None:
    labels = np.arange(1000) % 10 == 0
    wrong = [np.flatnonzero(bundled.flipped(labels.astype(np.int64), 0.1, seed) != labels) for seed in (0, 0, 1)]
    assert [len(places) for places in wrong] == [100] * 3
    assert np.array_equal(wrong[0], wrong[1]) and not np.array_equal(wrong[0], wrong[2])


@pytest.mark.parametrize("side", [24, 64])
def test_markers_are_where_the_joints_say(side: int) -> None:
    found = bundled.marked(40, side, seed=0, noise=0.0, blobs=0)
    for picture, ((x, y), (ring_x, ring_y)) in zip(found.pictures[:, 0], found.joints):
        assert picture[y, x] >= 1  # the cross has a middle
        arm = max(2, side // 8)
        assert picture[ring_y - arm, ring_x - arm] >= 1
        if abs(x - ring_x) > 2 * arm or abs(y - ring_y) > 2 * arm:
            assert picture[ring_y, ring_x] == 0  # the ring has none
    assert found.sizes.min() >= 0.125 * side and found.sizes.max() <= 0.25 * side


def test_generated_queries_can_be_ranked_by_their_features() -> None:
    found = bundled.graded(50, 20, 12, seed=0)
    assert found.features.shape == (50, 20, 12) and found.grades.shape == (50, 20)
    assert set(np.unique(found.grades)) == {0, 1, 2, 3, 4}
    again, other = bundled.graded(50, 20, 12, seed=0), bundled.graded(50, 20, 12, seed=1)
    assert np.array_equal(found.grades, again.grades) and not np.array_equal(found.grades, other.grades)
    own = found.features - found.features.mean(1, keepdims=True)
    from_features = np.linalg.lstsq(own.reshape(-1, 12), found.grades.reshape(-1), rcond=None)[0]
    assert np.corrcoef((own @ from_features).reshape(-1), found.grades.reshape(-1))[0, 1] > 0.3

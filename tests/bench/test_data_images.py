"""MNIST and CIFAR loaders on small files of the true formats, whole and damaged."""

from __future__ import annotations

import gzip
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.data import cifar as cifars
from bench.data import idx, pickles
from bench.data.checks import BadData
from tests.bench import python2
from tests.bench.files import cifar_batch, cifar_folder, idx_bytes

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 28, 28), dtype=np.uint8)
LABELS = np.array([0, 9, 3, 3, 1, 5], np.uint8)


@pytest.fixture(params=["", ".gz"])
def mnist(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    for part in ("train", "t10k"):
        for name, array in (("images-idx3-ubyte", PIXELS), ("labels-idx1-ubyte", LABELS)):
            content = idx_bytes(array)
            packed = gzip.compress(content) if request.param else content
            (tmp_path / f"{part}-{name}{request.param}").write_bytes(packed)
    return tmp_path


def test_mnist_is_read(mnist: Path) -> None:
    train, test = idx.mnist(mnist)
    assert np.array_equal(train.pixels, PIXELS) and np.array_equal(test.pixels, PIXELS)
    assert np.array_equal(train.labels, LABELS) and len(test) == 6


def image_file(mnist: Path) -> tuple[Path, bytes]:
    (path,) = mnist.glob("train-images*")
    content = path.read_bytes()
    return path, gzip.decompress(content) if path.suffix == ".gz" else content


def replaced(path: Path, content: bytes) -> None:
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@pytest.mark.parametrize(
    ("damage", "wrong"),
    [
        (lambda content: content[:-1], "has 4703 bytes of data instead of 6 x 28 x 28 = 4704"),
        (lambda content: content + b"\0", "has more bytes of data"),
        (lambda content: content[:10], "ends after 10 bytes, within its header"),
        (lambda content: b"", "ends after 0 bytes"),
        (lambda content: b"\0\0\x08\x01" + content[4:], "starts with 0x00000801 instead of 0x00000803"),
        (lambda content: b"<html>" + content, "starts with 0x3c68746d"),
        (lambda content: content[:4] + b"\xff" * 12, "announces 4294967295 x"),
        (lambda content: idx_bytes(PIXELS[:, :20]), r"images of \(20, 28\) pixels"),
        (lambda content: idx_bytes(PIXELS[:5]), "6 labels for 5 images"),
    ],
)
def test_damaged_idx_files_are_named(mnist: Path, damage: Any, wrong: str) -> None:
    path, content = image_file(mnist)
    replaced(path, damage(content))
    with pytest.raises(BadData, match=wrong) as caught:
        idx.mnist(mnist)
    assert "put MNIST's train-images-idx3-ubyte" in str(caught.value)
    assert caught.value.path.parent == mnist


def test_a_label_out_of_range_is_named(mnist: Path) -> None:
    (path,) = mnist.glob("t10k-labels*")
    replaced(path, idx_bytes(np.array([0, 1, 2, 10, 0, 0], np.uint8)))
    with pytest.raises(BadData, match="label 10 at place 3 is not in 0 to 9"):
        idx.mnist(mnist)


def test_a_gzip_file_cut_short_cannot_be_unpacked(mnist: Path) -> None:
    path, _ = image_file(mnist)
    if path.suffix == ".gz":
        path.write_bytes(path.read_bytes()[:-20])
        with pytest.raises(BadData, match="cannot be unpacked"):
            idx.mnist(mnist)
        path.write_bytes(b"no gzip at all")
        with pytest.raises(BadData, match="cannot be unpacked"):
            idx.mnist(mnist)


def test_wrong_folders_say_what_belongs_there(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"no such folder; put MNIST's"):
        idx.mnist(tmp_path / "nowhere")
    with pytest.raises(BadData, match=r"no file train-images-idx3-ubyte or .* \(it is empty\)"):
        idx.mnist(tmp_path)
    (tmp_path / "cat.png").touch()
    with pytest.raises(BadData, match="it has cat.png"):
        idx.mnist(tmp_path)
    with pytest.raises(BadData, match="is a file"):
        idx.mnist(tmp_path / "cat.png")


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("classes", [10, 100])
def test_cifar_batches_of_python_2_are_read(tmp_path: Path, classes: int, nested: bool) -> None:
    where = cifar_folder(tmp_path, classes, nested)
    train, test = cifars.cifar(where, classes)
    expected = cifar_batch(4, classes)
    assert len(train) == 4 * len(cifars.LAYOUTS[classes].train)
    assert np.array_equal(test.pixels, expected["data"].reshape(4, 3, 32, 32))
    assert test.labels.tolist() == expected["labels" if classes == 10 else "fine_labels"]
    assert cifars.classes_of(where) == classes


def test_batches_of_python_3_are_read_too(tmp_path: Path) -> None:
    value = {key.encode(): entry for key, entry in cifar_batch(4, 10).items()}
    for protocol in (3, 4, 5):
        (tmp_path / "file").write_bytes(pickle.dumps(value, protocol))
        if protocol < 5:  # from 5 on NumPy pickles through another function
            assert np.array_equal(pickles.load(tmp_path / "file")[b"data"], value[b"data"])
        else:
            with pytest.raises(pickle.UnpicklingError, match="it names numpy"):
                pickles.load(tmp_path / "file")


class Malicious:
    """Runs a command when it is unpickled by an unpickler that lets it."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.file}",)


def test_a_malicious_pickle_runs_nothing(tmp_path: Path) -> None:
    canary, batch_file = tmp_path / "canary", cifar_folder(tmp_path, 10) / "data_batch_3"
    content = pickle.dumps({b"data": Malicious(canary), b"labels": [0]}, 4)
    pickle.loads(content)  # it is a working one
    assert canary.exists()
    canary.unlink()
    batch_file.write_bytes(content)
    with pytest.raises(BadData, match=r"data_batch_3: cannot be read .* it names (posix|nt).system: only arrays"):
        cifars.cifar(tmp_path, 10)
    assert not canary.exists()


@pytest.mark.parametrize(
    "program",
    [
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cnumpy\nload\n(S'x'\ntR.",
        b"cnumpy.core.multiarray\n_reconstruct.__globals__\n.",
        b"\x80\x04\x8c\x05numpy\x8c\x10ndarray.__class__\x93.",
        b"cnumpy\ndtype\n(S'O8'\nI0\nI1\ntR.",  # arrays of objects
        b"cnumpy\ndtype\n.",  # the stand-in itself
        b"cnumpy\nndarray\n}S'__setstate__'\nI1\nsb.",  # sets an attribute on a stand-in
        b"Px\n.",  # a persistent id
        b"(I1\nI2\nt.",  # a tuple
        b"no pickle",
        b"",
        b"\x80\x02}q\x00(U\x04da",  # cut short
    ],
)
def test_other_programs_are_refused(tmp_path: Path, program: bytes) -> None:
    (tmp_path / "file").write_bytes(program)
    with pytest.raises(pickle.UnpicklingError):
        pickles.load(tmp_path / "file")


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"labels": [0, 1, 2]}, "3 labels for 4 images"),
        ({"labels": [0, 1, 2, 10]}, "label 10 at place 3 is not in 0 to 9"),
        ({"labels": [0, 1, 2, "x"]}, "not a list of numbers"),
        ({"data": np.zeros((4, 100), np.uint8)}, r"\(4, 100\) instead of \(images, 3072\)"),
        ({"data": np.zeros((4, 3072), np.float32)}, "only unsigned bytes are read"),
        ({"data": "text"}, "its data is bytes"),
    ],
)
def test_batches_that_are_not_cifar_are_named(tmp_path: Path, change: dict[str, Any], wrong: str) -> None:
    cifar_folder(tmp_path, 10)
    python2.write(tmp_path / "test_batch", {**cifar_batch(4, 10), **change})
    with pytest.raises(BadData, match=wrong) as caught:
        cifars.cifar(tmp_path, 10)
    assert caught.value.path.name == "test_batch"


def test_the_other_cifar_is_told_apart(tmp_path: Path) -> None:
    cifar_folder(tmp_path, 100)
    with pytest.raises(BadData, match="no file data_batch_1"):
        cifars.cifar(tmp_path, 10)
    python2.write(tmp_path / "train", cifar_batch(4, 10))
    with pytest.raises(BadData, match="has no data with fine_labels"):
        cifars.cifar(tmp_path, 100)
    (tmp_path / "test").unlink()
    with pytest.raises(BadData, match="neither CIFAR-10 nor CIFAR-100"):
        cifars.classes_of(tmp_path)

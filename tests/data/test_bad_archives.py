"""Archives of strangers: whatever is wrong with one is said in one line, and nothing in it is executed."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gandist import cli
from gandist.data import _archives, cifar10, fashion_mnist, mnist
from tests.data import archives

ARRAYS = archives.mnist_arrays()
FASHION = archives.fashion_files()
CIFAR = archives.cifar_files()
TRAIN_IMAGES, TRAIN_LABELS = (
    f"fashion-mnist/train-{kind}-ubyte.gz" for kind in ("images-idx3", "labels-idx1")
)
TEST_LABELS = "fashion-mnist/t10k-labels-idx1-ubyte.gz"


def npz(**changes: np.ndarray | None) -> bytes:
    arrays = {name: array for name, array in {**ARRAYS, **changes}.items() if array is not None}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def zipped(header: bytes, compression: int = zipfile.ZIP_DEFLATED, content: bytes = b"") -> bytes:
    """An archive whose x_train is ``header`` and ``content``."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr("x_train.npy", header + content)
    return buffer.getvalue()


def npy_header(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def encrypted() -> bytes:
    """Says that a password is needed."""
    content = bytearray(npz())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := content.find(mark, at + 1)) >= 0:
            content[at + offset] |= 1
    return bytes(content)


# What is wrong, what lies in mnist.npz, what the line says.
MNIST: list[tuple[str, bytes, str]] = [
    ("empty", b"", "not Keras' mnist.npz"),
    ("text", b"not a zip", "not Keras' mnist.npz"),
    ("a pickle", pickle.dumps([1, 2]), "not Keras' mnist.npz"),
    ("cut short", npz()[:3000], "not Keras' mnist.npz"),
    ("cut in the middle", npz()[:1000] + npz()[3000:], "not Keras' mnist.npz"),
    ("encrypted", encrypted(), "not Keras' mnist.npz"),
    ("floats", npz(x_train=np.zeros((5, 28, 28), np.float32)), "x_train is float32"),
    ("flat", npz(x_train=np.zeros((5, 28), np.uint8)), "[5, 28]"),
    ("large", npz(x_train=np.zeros((5, 32, 32), np.uint8)), "[5, 32, 32]"),
    ("a number", npz(x_train=np.uint8(3)), "x_train is uint8[]"),
    ("few labels", npz(y_train=np.zeros(4, np.uint8)), "[4]"),
    ("real labels", npz(y_train=np.zeros(5, np.float32)), "y_train is float32"),
    ("nothing", npz(x_train=ARRAYS["x_train"][:0], y_train=ARRAYS["y_train"][:0]), "[0]"),
    ("no images", npz(x_train=None), "x_train"),
    ("no labels", npz(y_train=None), "y_train"),
    ("no test images", npz(x_test=None), "x_test"),
    ("an eleventh class", npz(y_train=np.array([0, 1, 2, 3, 10], np.uint8)), "holds 0..10, not classes 0..9"),
    ("a class below zero", npz(y_train=np.array([0, 1, 2, 3, -1])), "holds -1..3"),
    ("a pickle within", npz(x_train=np.array([{"a": 1}], dtype=object)), "allow_pickle"),
    ("a header of nonsense", zipped(npy_header("{" * 50)), "not Keras' mnist.npz"),
    ("a header without end", zipped(npy_header("{'shape': (")), "not Keras' mnist.npz"),
    (
        "more than memory",
        zipped(
            npy_header(
                "{'descr': '|u1', 'fortran_order': False, 'shape': (10**15, 28, 28)}".replace(
                    "10**15", "9" * 15
                )
            )
        ),
        "not Keras' mnist.npz",
    ),
]

# What is wrong, the files that replace others, what the line says.
FASHION_MNIST: list[tuple[str, archives.Files, str]] = [
    ("empty", {TRAIN_IMAGES: b""}, "train-images-idx3-ubyte.gz: not Fashion-MNIST's"),
    ("text", {TRAIN_IMAGES: b"<html>"}, "does not begin as an IDX file"),
    ("cut short", {TRAIN_IMAGES: FASHION[TRAIN_IMAGES][:900]}, "ended before"),
    ("altered", {TRAIN_IMAGES: FASHION[TRAIN_IMAGES][:-8] + bytes(8)}, "CRC"),
    ("another gzip", {TRAIN_IMAGES: gzip.compress(b"hello")}, "does not begin as an IDX file"),
    (
        "labels for images",
        {TRAIN_IMAGES: FASHION[TRAIN_LABELS]},
        "in 1 dimensions, not 3: are images",
    ),
    ("images for labels", {TRAIN_LABELS: FASHION[TRAIN_IMAGES]}, "in 3 dimensions, not 1: are"),
    (
        "fewer bytes",
        {TRAIN_IMAGES: gzip.compress(gzip.decompress(FASHION[TRAIN_IMAGES])[:-1])},
        "holds 3,919",
    ),
    (
        "more bytes",
        {TRAIN_IMAGES: gzip.compress(gzip.decompress(FASHION[TRAIN_IMAGES]) + b"x")},
        "holds more",
    ),
    (
        "another size",
        {TRAIN_IMAGES: archives.idx(np.zeros((5, 28, 27)))},
        "[5, 28, 27], not uint8[n, 28, 28]",
    ),
    ("too few labels", {TRAIN_LABELS: archives.idx(np.zeros(4))}, "[4], not integers [5]"),
    ("an eleventh class", {TRAIN_LABELS: archives.idx(np.full(5, 10))}, "10..10, not classes 0..9"),
    (
        "none",
        {TRAIN_IMAGES: archives.idx(np.zeros((0, 28, 28))), TRAIN_LABELS: archives.idx(np.zeros(0))},
        "[0]",
    ),
    ("test labels of nonsense", {TEST_LABELS: b"\x1f\x8b"}, "t10k-labels-idx1-ubyte.gz"),
    (
        "a bomb",
        {TRAIN_IMAGES: gzip.compress(struct.pack(">4B3I", 0, 0, 8, 3, 2**31, 28, 28))},
        "more than 536,870,912",
    ),
]


@pytest.mark.parametrize(("what", "content", "says"), MNIST, ids=archives.names(MNIST))
def test_mnist(tmp_path: Path, what: str, content: bytes, says: str) -> None:
    archives.write(tmp_path, {"mnist.npz": content})
    assert says in archives.refusal(mnist.Options(), tmp_path)


@pytest.mark.parametrize(("what", "changes", "says"), FASHION_MNIST, ids=archives.names(FASHION_MNIST))
def test_fashion_mnist(tmp_path: Path, what: str, changes: archives.Files, says: str) -> None:
    archives.write(tmp_path, FASHION | changes)
    assert says in archives.refusal(fashion_mnist.Options(), tmp_path)


@pytest.mark.parametrize("kind", ["zip", "member", "stream"])
def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """With a smaller limit, so that the bomb is small as well."""
    monkeypatch.setattr(_archives, "MAX_BYTES", 100_000)
    monkeypatch.setattr(_archives._Bounded, "_left", 100_000)
    zeros = bytes(100_001)
    if kind == "zip":
        archives.write(tmp_path, {"mnist.npz": zipped(b"", content=zeros)})
        options, says = mnist.Options(), "x_train would be 100,001 bytes"
    else:
        before = {"data_batch_1": zeros} if kind == "member" else {f"{n}": zeros[:9000] for n in range(12)}
        archives.write(tmp_path, {"cifar-10-python.tar.gz": archives.tar(before | CIFAR)})
        options, says = (
            cifar10.Options(),
            "data_batch_1 would be 100,001" if kind == "member" else "unpacks to more than 100,000 bytes",
        )
    assert says in archives.refusal(options, tmp_path)


@pytest.mark.parametrize("options", [mnist.Options(), fashion_mnist.Options(), cifar10.Options()])
@pytest.mark.parametrize("there", ["nothing", "a file"])
def test_missing_files_say_what_to_do(options: mnist.Options, tmp_path: Path, there: str) -> None:
    folder = tmp_path / "data"
    if there == "a file":
        folder.write_text("")
    assert "--data-dir" in archives.refusal(options, folder)


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("mnist", {"mnist.npz": b"<html>"}),
        ("fashion_mnist", {TRAIN_IMAGES: b"<html>"}),
        ("cifar10", {"cifar-10-python.tar.gz": b"<html>"}),
    ],
)
def test_the_command_line_says_it_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    name: str,
    files: archives.Files,
) -> None:
    archives.write(tmp_path, files)
    job = tmp_path / "job.yaml"
    job.write_text(f"name: a\ndata: {{name: {name}}}\nmodel: {{name: dcgan}}\ntraining: {{steps: 1}}\n")
    monkeypatch.setattr(sys, "argv", ["gandist", "validate", str(job), "--data-dir", str(tmp_path)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 1
    [line] = capfd.readouterr().err.splitlines()
    assert str(tmp_path) in line

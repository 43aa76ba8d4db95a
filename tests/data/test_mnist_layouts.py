"""MNIST and Fashion-MNIST in the layouts that people have them in: read, or named with what converts them."""

from __future__ import annotations

import gzip
import hashlib
import io
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from scipy.io import savemat

from gandist.data import Dataset, _mnist_like, fashion_mnist, load, mnist
from gandist.errors import DataError
from tests.data import archives

RANDOM = np.random.default_rng(2)
IMAGES = RANDOM.integers(0, 256, (7, 28, 28), np.uint8)
IMAGES[:, 0, 0] = 255  # as where there is ink
LABELS = np.array([3, 1, 4, 1, 5, 9, 2])
TRAIN = 6

IDX = {
    "train-images-idx3-ubyte": IMAGES[:TRAIN],
    "train-labels-idx1-ubyte": LABELS[:TRAIN],
    "t10k-images-idx3-ubyte": IMAGES[TRAIN:],
    "t10k-labels-idx1-ubyte": LABELS[TRAIN:],
}


def files(folder: str, *, packed: bool, dots: bool) -> archives.Files:
    return {
        f"{folder}{name.replace('-idx', '.idx') if dots else name}{'.gz' * packed}": archives.idx(array)
        if packed
        else gzip.decompress(archives.idx(array))
        for name, array in IDX.items()
    }


def assert_is_all(dataset: Dataset) -> None:
    np.testing.assert_array_equal(dataset.images[..., 0], IMAGES[:TRAIN])
    np.testing.assert_array_equal(dataset.held_out[..., 0], IMAGES[TRAIN:])
    assert dataset.labels.tolist() == LABELS[:TRAIN].tolist()


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("dots", [True, False])
@pytest.mark.parametrize(
    ("options", "folder"),
    [
        (mnist.Options(), "MNIST/raw/"),
        (mnist.Options(), ""),
        (mnist.Options(), "mnist/"),
        (fashion_mnist.Options(), "FashionMNIST/raw/"),
        (fashion_mnist.Options(), ""),
        (fashion_mnist.Options(), "fashion-mnist/"),
    ],
)
def test_idx_files_are_read(
    tmp_path: Path, options: mnist.Options, folder: str, dots: bool, packed: bool
) -> None:
    archives.write(tmp_path, files(folder, packed=packed, dots=dots))
    assert_is_all(load(options, tmp_path))


def test_a_file_that_a_browser_has_unpacked_and_not_renamed_is_read(tmp_path: Path) -> None:
    plain = files("", packed=False, dots=False)
    archives.write(tmp_path, {f"{name}.gz": content for name, content in plain.items()})
    assert_is_all(load(mnist.Options(), tmp_path))


RAW = files("MNIST/raw/", packed=False, dots=False)
A, B, C, D = (f"MNIST/raw/{name}" for name in IDX)
WRONG: list[tuple[str, archives.Files, tuple[str, ...]]] = [
    ("one is missing", {name: RAW[name] for name in (A, C, D)}, (Path(A).name, f"no {Path(B).name}")),
    ("two are missing", {A: RAW[A], B: RAW[B]}, (f"no {Path(C).name} and no {Path(D).name}",)),
    ("cut short", RAW | {A: RAW[A][:-9]}, (A, "says that it holds 4,704 bytes, and holds 4,695")),
    ("cut within the head", RAW | {B: RAW[B][:6]}, (B, "does not begin as an IDX file")),
    ("images and labels swapped", RAW | {A: RAW[B], B: RAW[A]}, (A, "swapped")),
    ("labels of the other split", RAW | {B: RAW[D]}, (f"{Path(B).name} is uint8[1], not integers [6]",)),
    (
        "splits swapped",
        {A: RAW[C], B: RAW[D], C: RAW[A], D: RAW[B]},
        (A, "1 images, and", "6: are"),
    ),
    ("text", RAW | {C: b"<html>"}, (C, "not MNIST's t10k-images-idx3-ubyte")),
]


@pytest.mark.parametrize(("what", "given", "says"), WRONG, ids=archives.names(WRONG))  # type: ignore[arg-type]
def test_idx_files_that_are_wrong_are_named(
    tmp_path: Path, what: str, given: archives.Files, says: tuple[str, ...]
) -> None:
    text = archives.refusal(mnist.Options(), archives.write(tmp_path, given))
    assert all(part in text for part in says), text


def test_mnist_is_not_taken_for_fashion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They have files of the same names and sizes."""
    archives.write(tmp_path, files("", packed=True, dots=False))
    digest = hashlib.sha256(IMAGES[:TRAIN].tobytes()).hexdigest()
    monkeypatch.setattr(_mnist_like, "MNIST_IMAGES", digest)
    assert_is_all(load(mnist.Options(), tmp_path))
    assert "MNIST's images, not Fashion-MNIST's" in archives.refusal(fashion_mnist.Options(), tmp_path)


def csv(images: np.ndarray, labels: np.ndarray, head: bool) -> bytes:
    rows = np.column_stack([labels, images.reshape(len(images), -1)])
    lines = [",".join(map(str, row)) for row in rows.tolist()]
    return "\n".join(([",".join(["label", *map(str, range(784))])] if head else []) + lines).encode()


def npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def mat(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    savemat(buffer, arrays)
    return buffer.getvalue()


def parquet(images: np.ndarray, labels: np.ndarray) -> bytes:
    pictures = []
    for image in images:
        Image.fromarray(image).save(png := io.BytesIO(), "PNG")
        pictures.append({"bytes": png.getvalue(), "path": None})
    pq.write_table(pa.table({"image": pictures, "label": labels.tolist()}), buffer := io.BytesIO())
    return buffer.getvalue()


FLAT = IMAGES.reshape(7, 784)
FOREIGN: list[tuple[str, archives.Files]] = [
    (
        "two CSVs",
        {
            "mnist_train.csv": csv(IMAGES[:TRAIN], LABELS[:TRAIN], True),
            "mnist_test.csv": csv(IMAGES[TRAIN:], LABELS[TRAIN:], False),
        },
    ),
    ("a CSV", {"archive/mnist.csv": csv(IMAGES, LABELS, True), "archive/sizes.csv": b"a,b\n1,2\n"}),
    ("a CSV without labels beside", {"train.csv": csv(IMAGES, LABELS, True), "test.csv": b"1,2\n"}),
    ("an npz of another name", {"digits.npz": npz(data=IMAGES / 255.0, target=LABELS)}),
    (
        "an npz of two splits",
        {
            "it's mnist.npz": npz(
                test_images=FLAT[TRAIN:],
                test_labels=LABELS[TRAIN:],
                training_images=FLAT[:TRAIN],
                training_labels=LABELS[:TRAIN],
            )
        },
    ),
    ("mnist.npz with other keys", {"mnist.npz": npz(images=IMAGES[..., np.newaxis], labels=LABELS)}),
    ("MATLAB", {"mnist-original.mat": mat(data=FLAT.T, label=LABELS.astype(float)[np.newaxis])}),
    (
        "Parquet",
        {
            "mnist/train-00000-of-00001.parquet": parquet(IMAGES[:TRAIN], LABELS[:TRAIN]),
            "mnist/test-00000-of-00001.parquet": parquet(IMAGES[TRAIN:], LABELS[TRAIN:]),
        },
    ),
]


def refusal(folder: Path) -> str:
    with pytest.raises(DataError) as error:
        load(mnist.Options(), folder)
    text = str(error.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(("what", "given"), FOREIGN, ids=[what for what, _ in FOREIGN])
def test_other_forms_are_named_with_a_command_that_converts_them(
    tmp_path: Path, what: str, given: archives.Files
) -> None:
    text = refusal(archives.write(tmp_path, given))
    assert any(str(tmp_path / name) in text for name in given)
    _, _, command = text.partition("convert it: ")
    python, *arguments = shlex.split(command)
    assert python == "python"
    subprocess.run([sys.executable, *arguments], check=True, cwd=tmp_path)
    assert_is_all(load(mnist.Options(), tmp_path))


def test_a_folder_of_pictures_is_read_as_such(tmp_path: Path) -> None:
    for label in ("3", "8"):
        (tmp_path / "train" / label).mkdir(parents=True)
        Image.fromarray(IMAGES[0]).save(tmp_path / "train" / label / "1.png")
    text = refusal(tmp_path)
    assert f'{{name: image_folder, path: "{tmp_path}/train", image_size: 28, channels: 1}}' in text


@pytest.mark.parametrize(
    "damage",
    [lambda _: b"", lambda _: b"<html>", lambda content: content[:40], lambda content: content[::-1]],
    ids=["empty", "text", "cut", "reversed"],
)
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.npz", FOREIGN[3][1]["digits.npz"]),
        ("a.mat", FOREIGN[6][1]["mnist-original.mat"]),
        ("a.parquet", parquet(IMAGES, LABELS)),
        ("a.csv", b"\xff\xfe"),
    ],
)
def test_damaged_files_of_other_forms_are_no_matter(
    tmp_path: Path, name: str, content: bytes, damage: Callable[[bytes], bytes]
) -> None:
    (tmp_path / name).write_bytes(damage(content))
    assert "mnist.npz: no such file; put Keras' mnist.npz there, or" in refusal(tmp_path)

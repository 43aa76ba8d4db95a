"""MNIST, and what was made in its image: the layouts in which they are published, and reading them.

One ``.npz`` as Keras has it, or the four IDX files of the authors (LeCun et al. 1998), gzipped or not, as
they are published and as torchvision keeps them. What else lies there is named, with a way to convert it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gandist.data import Dataset, _archives, _foreign
from gandist.errors import DataError

SHAPE = (28, 28)
CLASSES = 10
MNIST_IMAGES = "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757"
"""SHA-256 of MNIST's training images: other data sets have files of the same names and sizes."""

IDX_NAMES = {
    f"{split}-{part}": [
        f"{split}-{part}{mark}idx{dimensions}-ubyte{packed}" for packed in ("", ".gz") for mark in "-."
    ]
    for split in ("train", "t10k")
    for part, dimensions in (("images", 3), ("labels", 1))
}
"""What the four files may be called."""

Split = tuple[np.ndarray, np.ndarray]
"""Images uint8 ``[n, 28, 28, 1]``, labels int32 ``[n]``."""


@dataclass(frozen=True)
class Kind:
    """A data set of this form."""

    title: str
    npz: str
    """The file that holds ``x_train``, ``y_train``, ``x_test`` and ``y_test``."""
    folders: tuple[str, ...]
    """Of a data directory, where the IDX files may lie."""
    class_names: tuple[str, ...]


def load(kind: Kind, data_dir: Path) -> Dataset:
    """The training images, and the test images held out, in whichever layout they lie in ``data_dir``.

    Raises:
        DataError: there are none, or they are not what they should be.
    """
    npz = data_dir / kind.npz
    if npz.is_file():
        return from_npz(kind, npz)
    folders = [data_dir / name for name in kind.folders]
    for folder in folders:
        found = {part: path for part, names in IDX_NAMES.items() if (path := _first(folder, names))}
        if missing := [names[0] for part, names in IDX_NAMES.items() if found and part not in found]:
            raise DataError(
                f"{folder}: has {next(iter(found.values())).name} and no {' and no '.join(missing)}; put all "
                f"four files of {kind.title} there, gzipped or not"
            )
        if found:
            return from_idx(kind, found)
    if conversion := _foreign.conversion([data_dir, *folders], npz):
        raise DataError(conversion)
    raise DataError(
        f"{npz}: no such file; put Keras' {npz.name} there, or {kind.title}'s four idx files beside it or in "
        f"{kind.folders[1]}/, or leave --data-dir out to have it downloaded"
    )


def from_npz(kind: Kind, path: Path) -> Dataset:
    """As ``load``, of a file in Keras' layout."""

    def read(split: str) -> Split:
        names = (f"x_{split}", f"y_{split}")
        with _archives.reading(path, f"Keras' {kind.npz}"):
            arrays = [_archives.read_npz(path, name) for name in names]
        return _archives.checked(str(path), *arrays, shape=SHAPE, classes=CLASSES, names=names)

    if other := _foreign.other_keys(path):
        raise DataError(other)
    return _dataset(kind, read("train"), read("test"))


def from_idx(kind: Kind, files: Mapping[str, Path]) -> Dataset:
    """As ``load``, of the four files by the keys of ``IDX_NAMES``."""

    def read(split: str) -> Split:
        images, labels = files[f"{split}-images"], files[f"{split}-labels"]
        arrays = []
        for path, dimensions in ((images, 3), (labels, 1)):
            with _archives.reading(path, f"{kind.title}'s {path.name}"):
                arrays.append(_archives.read_idx(path, dimensions))
        names = (images.name, labels.name)
        return _archives.checked(str(images.parent), *arrays, shape=SHAPE, classes=CLASSES, names=names)

    train, test = read("train"), read("t10k")
    first, other = files["train-images"], files["t10k-images"]
    if len(test[0]) > len(train[0]):
        raise DataError(
            f"{first}: holds {len(train[0]):,} images, and {other.name} {len(test[0]):,}: are the training "
            "and the test images swapped?"
        )
    if kind.title != "MNIST" and hashlib.sha256(train[0].tobytes()).hexdigest() == MNIST_IMAGES:
        raise DataError(f"{first}: holds MNIST's images, not {kind.title}'s; name another --data-dir")
    return _dataset(kind, train, test)


def _dataset(kind: Kind, train: Split, test: Split) -> Dataset:
    return Dataset(*train, kind.class_names, test[0])


def _first(folder: Path, names: list[str]) -> Path | None:
    return next((path for name in names if (path := folder / name).is_file()), None)

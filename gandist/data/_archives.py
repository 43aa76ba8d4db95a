"""What data sets that are published as archives share: finding a file, reading it within bounds, checking it.

The files come from strangers: nothing in them is executed or extracted, and none may unpack to more than a
data set of its kind could be.
"""

from __future__ import annotations

import contextlib
import gzip
import math
import struct
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gandist.activity import Tell
from gandist.artifacts import retry
from gandist.data import _download
from gandist.errors import DataError, UnavailableError
from gandist.printable import one_line

KERAS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
MAX_BYTES = 2**29
"""No array of a data set that comes as an archive is larger."""


@dataclass(frozen=True)
class Archive:
    """A published file.

    Attributes:
        path: where it lies below a data directory, which is laid out as Keras' cache is.
        origin: where it is downloaded from.
        sha256: what it must then be.
    """

    path: str
    origin: str
    sha256: str

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.path.rpartition("/")[2]

    def download(self, tell: Tell) -> Path:
        """The file, in a cache where it is not yet.

        Raises:
            DataError: it cannot be downloaded.
        """
        return _download.fetch(self.origin, self.sha256, self.path, tell)


@contextlib.contextmanager
def reading(path: Path, what: str) -> Iterator[None]:
    """Within this context, whatever is wrong with the file is a ``DataError`` that names it and ``what``.

    A disk or a network file system that fails is an ``UnavailableError``.
    """
    try:
        yield
    except OSError as error:
        if not retry.passes(error):
            raise DataError(f"{path}: not {what}: {one_line(error)}") from error
        raise UnavailableError(f"{path}: cannot be read: {error.strerror}") from error
    except Exception as error:  # readers of damaged files raise about anything
        raise DataError(f"{path}: not {what}: {one_line(error)}") from error


def read_npz(path: Path, name: str) -> np.ndarray:
    """One array of an ``.npz``; called where something is ``reading``, as all of these."""
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo(f"{name}.npy")
        _check_size(member.file_size, name)
        with archive.open(member) as file:
            array: np.ndarray = np.lib.format.read_array(file, allow_pickle=False)
            return array


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """An IDX file of bytes (LeCun et al. 1998), gzipped or not: uint8, one size a dimension."""
    with path.open("rb") as plain:
        packed = plain.read(2) == b"\x1f\x8b"
    with gzip.open(path) if packed else path.open("rb") as file:
        head = file.read(4 + 4 * dimensions)
        if head[:3] == bytes([0, 0, 8]) and head[3:4] != bytes([dimensions]):
            raise ValueError(
                f"an IDX file in {head[3]} dimensions, not {dimensions}: are images and labels swapped?"
            )
        if len(head) < 4 + 4 * dimensions or head[:4] != bytes([0, 0, 8, dimensions]):
            raise ValueError(f"does not begin as an IDX file of bytes in {dimensions} dimensions")
        shape = struct.unpack(f">{dimensions}I", head[4:])
        size = math.prod(shape)
        _check_size(size, f"{list(shape)}")
        content = file.read(size + 1)
    if len(content) != size:
        more = "more" if len(content) > size else f"{len(content):,}"
        raise ValueError(f"says that it holds {size:,} bytes, and holds {more}")
    return np.frombuffer(content, np.uint8).reshape(shape)


def read_file(path: Path) -> bytes:
    """A whole file."""
    if not path.is_file():
        raise FileNotFoundError(f"{path.name} is missing")
    _check_size(path.stat().st_size, path.name)
    return path.read_bytes()


def read_tar(path: Path, *choices: tuple[str, ...]) -> dict[str, bytes]:
    """All files of one of ``choices``, by name, in whatever folder of a gzipped tar they lie."""
    found: dict[str, bytes] = {}
    with _Bounded(path) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            name = member.name.rpartition("/")[2]
            if member.isfile() and any(name in names for names in choices):
                _check_size(member.size, name)  # a sparse file is larger than what is stored of it
                file = archive.extractfile(member)
                found[name] = file.read() if file else b""
            if any(found.keys() >= set(names) for names in choices):
                return found
    missing = next(name for name in choices[0] if name not in found)
    raise KeyError(f"{missing} is missing")


class _Bounded(gzip.GzipFile):
    """Ends in an error where a bomb would go on."""

    _left = MAX_BYTES

    def read(self, size: int | None = -1) -> bytes:
        content = super().read(min(self._left + 1, self._left + 1 if size is None or size < 0 else size))
        self._left -= len(content)
        if self._left < 0:
            raise ValueError(f"unpacks to more than {MAX_BYTES:,} bytes")
        return content


def _check_size(size: int, what: str) -> None:
    if size > MAX_BYTES:
        raise ValueError(f"{what} would be {size:,} bytes, more than {MAX_BYTES:,}")


def checked(
    where: str,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    shape: tuple[int, ...],
    classes: int,
    names: tuple[str, str] = ("images", "labels"),
) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 ``[n, height, width, channels]`` and labels int32 ``[n]``.

    Args:
        where: the file or folder that they are from.
        images: as read: uint8 ``[n, *shape]``.
        labels: as read: integers ``[n]``.
        shape: of one image; without the channel where there is one.
        classes: labels are below it.
        names: what the file calls the two.

    Raises:
        DataError: they are something else.
    """
    if images.dtype != np.uint8 or images.shape[1:] != shape or images.ndim == 0:
        sides = ", ".join(map(str, shape))
        raise DataError(f"{where}: {names[0]} is {_type(images)}, not uint8[n, {sides}]")
    if labels.shape != images.shape[:1] or labels.dtype.kind not in "ui" or not len(labels):
        raise DataError(f"{where}: {names[1]} is {_type(labels)}, not integers [{len(images)}]")
    if labels.min() < 0 or labels.max() >= classes:
        raise DataError(
            f"{where}: {names[1]} holds {labels.min()}..{labels.max()}, not classes 0..{classes - 1}"
        )
    return images.reshape(len(images), *(*shape, 1)[:3]), labels.astype(np.int32)


def _type(array: np.ndarray) -> str:
    return f"{array.dtype}{list(array.shape)}"

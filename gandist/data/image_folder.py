"""A folder of pictures: ``DIR/*.jpg``, or ``DIR/CLASS/*.jpg`` where each sub-folder is a class.

Pictures are the files whose names end, in either case, in one of ``_pictures.EXTENSIONS``; links are
followed. Hidden files and folders, all other files, and folders within the sub-folders are left out, and
told of. A folder that has pictures both beside and in its sub-folders is refused, and one of which a class
would be lost.

``held_out`` of them are kept from the training, chosen by their content: another name or folder, or further
pictures, leave the others' sides alone but for as many as come in.

They are decoded once, into ``image_folder/<key>/`` of the cache (``GANDIST_CACHE_DIR``, by default
``~/.cache/gandist``), of which trials map the images into memory. The key is a hash of the options, the
version of PIL, and each file's path below the folder and content: a folder that was moved is the same.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from gandist.activity import Activity, Tell, silent
from gandist.data import DataOptions, Dataset, _cache, _hashes, _pictures, _sizes, _stamps
from gandist.data._chunks import Item
from gandist.data._folder import look
from gandist.errors import DataError
from gandist.printable import printable
from gandist.spec.base import MAY_CHANGE

FORMAT = 2
"""Of the cache; another for each change to what becomes of a picture."""
SHOWN = 3


class Options(DataOptions):
    """The data section of a job file."""

    places: ClassVar[tuple[str, ...]] = ("path",)
    name: Literal["image_folder"] = "image_folder"
    # Where the pictures lie is no matter: a continuation compares what is in them.
    path: Annotated[str, Field(min_length=1, max_length=4000), MAY_CHANGE] = Field(
        description="the folder: absolute, or below --data-dir, or beside the job file, or from here"
    )
    image_size: Annotated[int, Field(ge=4, le=1024)] = Field(64, description="sides of the square images")
    channels: Literal[1, 3] = Field(3, description="1: grey, 3: colour")
    crop: Literal["center", "none"] = Field(
        "center", description="center: the largest centred square; none: all of it, squeezed into a square"
    )
    held_out: Annotated[int, Field(ge=0)] = Field(
        0, description="pictures that are not trained on, which evaluations measure against"
    )
    max_unreadable: Annotated[float, Field(ge=0, le=1), MAY_CHANGE] = Field(
        0.01, description="share of the pictures that may be left out because they cannot be read"
    )


@dataclass(frozen=True)
class _File:
    """A picture, and what its file was when it was read."""

    path: str
    """Below the folder."""
    label: int
    stamp: _stamps.Stamp | None
    digest: str


def load(options: Options, data_dir: Path | None, tell: Tell = silent) -> Dataset:
    """All pictures, in the order of their paths, memory-mapped; with ``held_out``, these apart.

    Raises:
        DataError: the folder is missing or holds no pictures, too many of them cannot be read, or there is no
            room to keep them decoded; or no picture of a class would be left to train on.
    """
    folder = _folder(options, data_dir)
    found = look(folder)
    status = folder.stat()
    memory = _cache.directory() / "read" / f"{status.st_dev:x}-{status.st_ino:x}"
    read = _hashes.contents([folder / path for path, _ in found.pictures], memory, tell)
    files = [_File(*picture, *content) for picture, content in zip(found.pictures, read, strict=True)]
    held_out = {file.path for file in sorted(files, key=lambda file: file.digest)[: options.held_out]}
    files.sort(key=lambda file: file.path in held_out)  # these last, all else in its order

    def decoded(start: int) -> Iterator[Item]:
        return _decoded(folder, files, start, options, tell)

    kept = _cache.directory() / "image_folder" / _key(options, files)
    cached = _cache.dataset(
        kept,
        (options.image_size, options.image_size, options.channels),
        found.class_names,
        decoded,
        f"{printable(folder)} is decoded",
        tell,
    )
    _check(folder, options, len(files), cached)
    unreadable = f"left out {_rejections(cached, len(files))}" if cached.rejected else ""
    cropped = options.crop == "center"
    shaped = "each cut to its largest centred square" if cropped else "each squeezed into a square"
    paths = [folder / file.path for file in files]
    shaped += _sizes.told(paths, options.image_size, kept / _sizes.KEPT)
    left_out = tuple(f"{printable(folder)}: {line}" for line in (found.left_out, unreadable) if line)
    dataset = replace(cached.dataset, shaped=shaped, left_out=left_out)
    return _without_last(dataset, options.held_out, folder) if options.held_out else dataset


def _folder(options: Options, data_dir: Path | None) -> Path:
    path = _cache.from_home(options.path)
    if not path.is_absolute() and data_dir is None:
        raise DataError(
            f"data.path: {printable(path)}: no such folder beside the job file or in the current directory; "
            "give an absolute path, or with --data-dir or GANDIST_DATA_DIR the directory that it is below"
        )
    return path if data_dir is None else data_dir / path


def _key(options: Options, files: list[_File]) -> str:
    import PIL

    made_of = (FORMAT, PIL.__version__, options.image_size, options.channels, options.crop)
    digest = hashlib.sha256(repr(made_of).encode())
    for file in files:
        digest.update(os.fsencode(file.path) + f"\0{file.digest}\0".encode())
    return digest.hexdigest()[:32]


def _decoded(folder: Path, files: list[_File], start: int, options: Options, tell: Tell) -> Iterator[Item]:
    """The pictures from ``start`` on, as the cache wants them."""
    square = _pictures.Square(options.image_size, options.channels, options.crop)
    paths = [folder / file.path for file in files[start:]]
    images = _pictures.decode_all(paths, square)
    for number, (file, path, image) in enumerate(zip(files[start:], paths, images, strict=True), start + 1):
        unknown = isinstance(image, np.ndarray) and not file.digest
        if unknown or _stamps.stamp(path) != file.stamp:  # then it is not what the key says
            raise DataError(
                f"{printable(path)}: changed while the folder was read; run again when it is at rest"
            )
        tell(Activity("decoding pictures", number, len(files)))
        yield f"{printable(file.path)}: {printable(image)}" if isinstance(image, str) else (file.label, image)


def _without_last(dataset: Dataset, count: int, folder: Path) -> Dataset:
    """The last ``count`` pictures held out."""
    labels = dataset.labels[:-count]
    if lost := sorted(set(dataset.labels.tolist()) - set(labels.tolist())):
        of = f" of {printable(dataset.class_names[lost[0]])}" if dataset.class_names else ""
        raise DataError(
            f"{printable(folder)}: data.held_out: {count:,} of {len(dataset):,} pictures leave none{of} to "
            "train on; give fewer"
        )
    known = hashlib.sha256(f"{dataset.fingerprint} without {count}".encode()).hexdigest()[:16]
    return replace(
        dataset,
        images=dataset.images[:-count],
        labels=labels,
        held_out=dataset.images[-count:],
        known=known,
    )


def _check(folder: Path, options: Options, files: int, cached: _cache.Cached) -> None:
    """Refuse a set of which too much is missing."""
    if cached.rejected > options.max_unreadable * files or not len(cached.dataset):
        raise DataError(
            f"{printable(folder)}: cannot read {_rejections(cached, files)}; data.max_unreadable allows "
            f"{options.max_unreadable:.2%}"
        )
    names = cached.dataset.class_names
    missing = set(range(len(names))) - set(np.unique(cached.dataset.labels).tolist())
    if missing:
        raise DataError(
            f"{printable(folder / names[min(missing)])}: no picture of this class can be read "
            f"(see {printable(cached.rejections)}); bring some, or move the folder away"
        )


def _rejections(cached: _cache.Cached, files: int) -> str:
    """How many, the first few, and where all are listed."""
    with cached.rejections.open(encoding="utf-8") as lines:
        first = [line.rstrip("\n") for line in itertools.islice(lines, SHOWN)]
    more = ", ..." if cached.rejected > SHOWN else ""
    return (
        f"{cached.rejected:,} of {files:,} pictures ({cached.rejected / files:.2%}), "
        f"listed in {printable(cached.rejections)}: {', '.join(first)}{more}"
    )

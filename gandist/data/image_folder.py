"""A folder of pictures: ``DIR/*.jpg``, or ``DIR/CLASS/*.jpg`` where each sub-folder is a class.

Pictures are the files whose names end, in either case, in one of ``_pictures.EXTENSIONS``. Hidden
files and folders, all other files, and folders within the sub-folders are not looked at; links
are followed. A folder that has pictures both beside and in its sub-folders is refused.

They are decoded once, into ``image_folder/<key>/`` of the cache (``GANDIST_CACHE_DIR``, by default
``~/.cache/gandist``), of which trials map the images into memory. The key is a hash of the options, the
version of PIL, and each file's name, size and time of last change, but not its bytes, which for a large set
would take longer to read than the cache: a file that is altered while its size and time are kept goes
unnoticed, and a copy that does not keep the times is decoded again, to the same images.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, BinaryIO, Literal

import numpy as np
from pydantic import Field

from gandist.activity import Tell, silent
from gandist.data import DataOptions, Dataset, _cache, _pictures
from gandist.errors import DataError
from gandist.section import MAY_CHANGE

FORMAT = 2
"""Of the cache; another for each change to what becomes of a picture."""
PROGRESS_S = 5.0
SHOWN = 3


class Options(DataOptions):
    """The data section of a job file."""

    name: Literal["image_folder"] = "image_folder"
    # Where the pictures lie is no matter: a continuation compares what is in them.
    path: Annotated[str, Field(min_length=1, max_length=4000), MAY_CHANGE] = Field(
        description="the folder: absolute, or below --data-dir"
    )
    image_size: Annotated[int, Field(ge=4, le=1024)] = Field(64, description="sides of the square images")
    channels: Literal[1, 3] = Field(3, description="1: grey, 3: colour")
    crop: Literal["center", "none"] = Field(
        "center", description="center: the largest centred square; none: all of it, squeezed into a square"
    )
    max_unreadable: Annotated[float, Field(ge=0, le=1), MAY_CHANGE] = Field(
        0.01, description="share of the pictures that may be left out because they cannot be read"
    )


@dataclass(frozen=True)
class _File:
    """A picture, as the file system tells of it without opening it."""

    path: str
    """Below the folder."""
    label: int
    size: int
    changed_ns: int


def load(options: Options, data_dir: Path | None, tell: Tell = silent) -> Dataset:
    """All pictures, in the order of their paths, memory-mapped; none held out.

    Raises:
        DataError: the folder is missing or holds no pictures, too many of them cannot be read, or there is no
            room to keep them decoded.
    """
    folder = _folder(options, data_dir)
    files, class_names = _list(folder)
    decoding = _Decoding(folder, files, options)
    cached = _cache.dataset(
        _cache.directory() / "image_folder" / _key(options, files),
        (options.image_size, options.image_size, options.channels),
        class_names,
        decoding.run,
        f"{_shown(folder)} is decoded",
    )
    _check(folder, options, len(files), cached)
    if decoding.done and cached.rejected:
        print(f"{_shown(folder)}: left out {_rejections(cached, len(files))}", file=sys.stderr)
    return cached.dataset


def _folder(options: Options, data_dir: Path | None) -> Path:
    path = Path(options.path).expanduser()
    if not path.is_absolute() and data_dir is None:
        raise DataError(
            f"data.path: {_shown(path)} is below a data directory: name that with --data-dir or "
            "GANDIST_DATA_DIR, or give an absolute path"
        )
    return path if data_dir is None else data_dir / path


def _list(folder: Path) -> tuple[list[_File], tuple[str, ...]]:
    """The pictures in the order of their paths, and the classes in that of their names."""
    own, folders = _scan(folder)
    classes = {name: pictures for name in folders if (pictures := _scan(folder / name)[0])}
    if own and classes:
        raise DataError(
            f"{_shown(folder)}: has pictures beside its sub-folders ({_shown(own[0].name)} and "
            f"{_shown(next(iter(classes)))}/): each sub-folder is a class; move them into one, or away"
        )
    if not own and not classes:
        raise DataError(
            f"{_shown(folder)}: holds no pictures ({' '.join(sorted(_pictures.EXTENSIONS))}), neither itself "
            "nor in its sub-folders"
        )
    for name in classes:
        if not name.isprintable():
            raise DataError(f"{_shown(folder / name)}: cannot be the name of a class; rename it")
    entries = [(0, entry.name, entry) for entry in own]
    for label, (name, pictures) in enumerate(classes.items()):
        entries += [(label, f"{name}/{entry.name}", entry) for entry in pictures]
    return [_File(path, label, *_stat(entry)) for label, path, entry in entries], tuple(classes)


def _scan(folder: Path) -> tuple[list[os.DirEntry[str]], list[str]]:
    """Its pictures and its sub-folders, each in the order of their names."""
    try:
        with os.scandir(folder) as entries:
            found = sorted((e for e in entries if not e.name.startswith(".")), key=lambda entry: entry.name)
            folders = [entry.name for entry in found if _is_folder(entry)]
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(
            f"{_shown(folder)}: {reason}; data.path names a folder of pictures, absolute or below --data-dir"
        ) from error
    pictures = [e for e in found if Path(e.name).suffix.lower() in _pictures.EXTENSIONS]
    return [entry for entry in pictures if entry.name not in folders], folders


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _stat(entry: os.DirEntry[str]) -> tuple[int, int]:
    """Size and time of last change; of a dead link none: it is listed with what cannot be read."""
    try:
        status = entry.stat()
    except OSError:
        return -1, 0
    return status.st_size, status.st_mtime_ns


def _key(options: Options, files: list[_File]) -> str:
    import PIL

    made_of = (FORMAT, PIL.__version__, options.image_size, options.channels, options.crop)
    digest = hashlib.sha256(repr(made_of).encode())
    for file in files:
        digest.update(os.fsencode(file.path) + f"\0{file.size} {file.changed_ns}\0".encode())
    return digest.hexdigest()[:32]


class _Decoding:
    """Writes the pictures as the cache wants them; ``done`` when it was asked to."""

    def __init__(self, folder: Path, files: list[_File], options: Options) -> None:
        self._folder, self._files = folder, files
        self._square = _pictures.Square(options.image_size, options.channels, options.crop)
        self.done = False

    def run(self, file: BinaryIO) -> tuple[list[int], list[str]]:
        """As ``_cache.Make``."""
        labels, rejected = [], []
        decoded = _pictures.decode_all([self._folder / f.path for f in self._files], self._square)
        began = told = time.monotonic()
        for number, (source, image) in enumerate(zip(self._files, decoded, strict=True), 1):
            if isinstance(image, str):
                rejected.append(f"{_shown(source.path)}: {_shown(image)}")
            else:
                file.write(image.tobytes())
                labels.append(source.label)
            if (now := time.monotonic()) - told >= PROGRESS_S:
                told, rate = now, number / (now - began)
                print(
                    f"{_shown(self._folder)}: {number:,} of {len(self._files):,} pictures decoded, "
                    f"{rate:,.0f} a second",
                    file=sys.stderr,
                )
        self.done = True
        return labels, rejected


def _check(folder: Path, options: Options, files: int, cached: _cache.Cached) -> None:
    """Refuse a set of which too much is missing."""
    if cached.rejected > options.max_unreadable * files or not len(cached.dataset):
        raise DataError(
            f"{_shown(folder)}: cannot read {_rejections(cached, files)}; data.max_unreadable allows "
            f"{options.max_unreadable:.2%}"
        )
    names = cached.dataset.class_names
    missing = set(range(len(names))) - set(np.unique(cached.dataset.labels).tolist())
    if missing:
        raise DataError(
            f"{_shown(folder / names[min(missing)])}: no picture of this class can be read "
            f"(see {_shown(cached.rejections)}); bring some, or move the folder away"
        )


def _rejections(cached: _cache.Cached, files: int) -> str:
    """How many, the first few, and where all are listed."""
    with cached.rejections.open(encoding="utf-8") as lines:
        first = [line.rstrip("\n") for line in itertools.islice(lines, SHOWN)]
    more = ", ..." if cached.rejected > SHOWN else ""
    return (
        f"{cached.rejected:,} of {files:,} pictures ({cached.rejected / files:.2%}), "
        f"listed in {_shown(cached.rejections)}: {', '.join(first)}{more}"
    )


def _shown(text: Path | str) -> str:
    """As one printable line, whatever a stranger has named his files."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))

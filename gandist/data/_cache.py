"""What took long to make, kept on disk: made once, then memory-mapped by every trial.

A cached set is a directory. It is whole when its ``index.json``, written last, is there and fits the rest: a
set that was cut short or altered is made anew. All of it may be deleted while nothing runs.
"""

from __future__ import annotations

import contextlib
import fcntl
import math
import os
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from pydantic import BaseModel, NonNegativeInt

from gandist.data import Dataset
from gandist.errors import DataError

IMAGES, LABELS, REJECTED, INDEX = "images.uint8", "labels.int32", "rejected.txt", "index.json"

Make = Callable[[BinaryIO], tuple[list[int], list[str]]]
"""Writes images one after another; returns their labels and, a line each, what it has left out and why."""


@dataclass(frozen=True)
class Cached:
    """A set as it lies on disk."""

    dataset: Dataset
    rejected: int
    """What was left out."""
    rejections: Path
    """The list of it."""


class _Index(BaseModel):
    images: NonNegativeInt
    rejected: NonNegativeInt
    fingerprint: str


def directory() -> Path:
    """``GANDIST_CACHE_DIR``, by default ``gandist`` in the user's directory of caches.

    Raises:
        DataError: this user has no such directory.
    """
    if given := os.environ.get("GANDIST_CACHE_DIR"):
        return Path(given)
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given) / "gandist"
    try:
        return Path.home() / ".cache" / "gandist"
    except RuntimeError as error:
        raise DataError(f"{error}: name a directory for caches with GANDIST_CACHE_DIR") from error


def dataset(
    folder: Path, image_shape: tuple[int, int, int], class_names: tuple[str, ...], make: Make, what: str
) -> Cached:
    """The set that lies in ``folder``; made where there is none, or a damaged one.

    Processes that want it at the same time wait for one of them to make it.

    Args:
        folder: its name is a function of all that the content depends on.
        image_shape: ``(height, width, channels)``.
        class_names: as in ``Dataset``.
        make: called to write it.
        what: "... is decoded", said where another process is at it.

    Raises:
        DataError: it cannot be kept there; or what ``make`` raises.
    """

    def read() -> Cached | None:
        return _read(folder, image_shape, class_names)

    if found := read():
        return found
    with locked(folder, what) as alone:
        if found := read():  # another process has made it meanwhile
            return found
        try:
            _write(folder, image_shape, class_names, make, alone)
        except OSError as error:
            raise DataError(
                f"{folder}: cannot keep decoded images there ({error.strerror or error}); make room, or name "
                "another directory with GANDIST_CACHE_DIR"
            ) from error
    if found := read():
        return found
    raise DataError(f"{folder}: altered as soon as written; name another directory with GANDIST_CACHE_DIR")


def _read(folder: Path, image_shape: tuple[int, int, int], class_names: tuple[str, ...]) -> Cached | None:
    """What lies in ``folder``, if it is whole and undamaged."""
    try:
        index = _Index.model_validate_json((folder / INDEX).read_bytes())
        found = _mapped(folder / IMAGES, folder / LABELS, (index.images, *image_shape), class_names)
    except (OSError, ValueError):
        return None
    if found is None or found.fingerprint != index.fingerprint:
        return None
    return Cached(found, index.rejected, folder / REJECTED)


def _mapped(
    images: Path, labels: Path, shape: tuple[int, int, int, int], class_names: tuple[str, ...]
) -> Dataset | None:
    if images.stat().st_size != math.prod(shape) or labels.stat().st_size != 4 * shape[0]:
        return None
    return Dataset(
        np.memmap(images, np.uint8, "r", shape=shape) if shape[0] else np.empty(shape, np.uint8),
        np.fromfile(labels, np.int32),
        class_names,
        np.empty((0, *shape[1:]), np.uint8),
    )


def _write(
    folder: Path, image_shape: tuple[int, int, int], class_names: tuple[str, ...], make: Make, alone: bool
) -> None:
    """Under other names first, the index last: whatever happens, nothing passes for whole that is not."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / INDEX).unlink(missing_ok=True)
    if alone:
        for left in folder.glob("*.part"):  # by a process that was killed
            left.unlink()
    parts = {name: folder / f"{name}.{uuid.uuid4().hex}.part" for name in (IMAGES, LABELS, REJECTED, INDEX)}
    try:
        # Written, not memory-mapped: a full disk is then an error, and not the end of the process.
        with parts[IMAGES].open("wb") as file:
            labels, rejected = make(file)
        parts[LABELS].write_bytes(np.asarray(labels, np.int32).tobytes())
        parts[REJECTED].write_bytes("".join(f"{line}\n" for line in rejected).encode())
        shape = (len(labels), *image_shape)
        made = _mapped(parts[IMAGES], parts[LABELS], shape, class_names)
        if made is None:
            raise OSError("fewer bytes than were written")
        index = _Index(images=len(labels), rejected=len(rejected), fingerprint=made.fingerprint)
        parts[INDEX].write_text(index.model_dump_json())
        for name, part in parts.items():
            part.replace(folder / name)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(folder: Path, what: str) -> Iterator[bool]:
    """Wait for ``folder``'s lock and hold it until the context or the process ends, however it ends.

    Where the file system has no locks, or the folder takes no file, there is nothing to wait for: whoever
    uses this must be safe without, and only saves work by it.

    Args:
        folder: made if it is missing.
        what: "... is decoded", said where another process holds the lock.

    Yields:
        whether it is held.
    """
    with contextlib.ExitStack() as stack:
        held = False
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            stack.callback(os.close, descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print(f"{what} by another process: waiting for it", file=sys.stderr)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            held = True
        yield held

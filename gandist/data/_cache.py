"""What took long to make, kept on disk: made once, then memory-mapped by every trial.

A cached set is a directory. It is whole when its ``index.json``, written last, is there and fits the rest:
one that was altered is made anew; making one that was cut short goes on from the last chunk that was kept.
All of it may be deleted while nothing runs.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import math
import os
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pydantic import BaseModel, NonNegativeInt

from gandist.activity import Activity, Tell, silent
from gandist.data import Dataset
from gandist.data._chunks import Chunks, Item
from gandist.data._stamps import Stamp, settled, stamp
from gandist.errors import DataError

IMAGES, LABELS, REJECTED, INDEX = "images.uint8", "labels.int32", "rejected.txt", "index.json"
CHECKED = "checked"
"""The fingerprint of the files, and what they were when it was taken."""
JOURNAL = "journal"
KEPT = "kept"
"""In the names of the files that whoever holds the lock writes, and the next one goes on with."""
WAIT_S = 0.2

Make = Callable[[int], Iterator[Item]]
"""Makes the items of a set from that one on, always the same in the same order."""


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


def from_home(path: str) -> Path:
    """``path`` with ``~`` as shells have it; left as it is where that is nobody's home."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path's raises then


def directory() -> Path:
    """``GANDIST_CACHE_DIR``, by default ``gandist`` in the user's directory of caches.

    Raises:
        DataError: this user has no such directory.
    """
    if given := os.environ.get("GANDIST_CACHE_DIR"):
        return from_home(given)
    if given := os.environ.get("XDG_CACHE_HOME"):
        return from_home(given) / "gandist"
    try:
        return Path.home() / ".cache" / "gandist"
    except RuntimeError as error:
        raise DataError(f"{error}: name a directory for caches with GANDIST_CACHE_DIR") from error


def workers() -> int:
    """Threads that find a core."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def dataset(
    folder: Path,
    image_shape: tuple[int, int, int],
    class_names: tuple[str, ...],
    make: Make,
    what: str,
    tell: Tell = silent,
) -> Cached:
    """The set that lies in ``folder``; made where there is none, or a damaged one.

    Processes that want it at the same time wait for one of them to make it.

    Args:
        folder: its name is a function of all that the content depends on.
        image_shape: ``(height, width, channels)``.
        class_names: as in ``Dataset``.
        make: called for what is not kept of it.
        what: "... is decoded", said where another process is at it.
        tell: told of waiting and checking.

    Raises:
        DataError: it cannot be kept there; or what ``make`` raises.
    """

    def read() -> Cached | None:
        return _read(folder, image_shape, class_names, tell)

    if found := read():
        return found
    with locked(folder, what, tell) as alone:
        if found := read():  # another process has made it meanwhile
            return found
        try:
            _write(folder, image_shape, class_names, make, alone, tell)
        except OSError as error:
            raise DataError(
                f"{folder}: cannot keep decoded images there ({error.strerror or error}); make room, or name "
                "another directory with GANDIST_CACHE_DIR"
            ) from error
    if found := read():
        return found
    raise DataError(f"{folder}: altered as soon as written; name another directory with GANDIST_CACHE_DIR")


def _read(
    folder: Path, image_shape: tuple[int, int, int], class_names: tuple[str, ...], tell: Tell
) -> Cached | None:
    """What lies in ``folder``, if it is whole and undamaged."""
    stamps = _stamps_of(folder)  # before anything is read: what changes after that will show
    try:
        index = _Index.model_validate_json((folder / INDEX).read_bytes())
        found = _mapped(folder / IMAGES, folder / LABELS, (index.images, *image_shape), class_names)
    except (OSError, ValueError):
        return None
    if found is None or not _undamaged(found, index.fingerprint, folder, stamps, tell):
        return None
    return Cached(replace(found, known=index.fingerprint), index.rejected, folder / REJECTED)


def _stamps_of(folder: Path) -> tuple[Stamp | None, Stamp | None]:
    return stamp(folder / IMAGES), stamp(folder / LABELS)


def _undamaged(
    found: Dataset, fingerprint: str, folder: Path, stamps: tuple[Stamp | None, Stamp | None], tell: Tell
) -> bool:
    """Whether the content has that fingerprint; read once, and again when the files have changed."""
    lasting = all(it is not None and settled(it) for it in stamps)
    checked = json.dumps([fingerprint, stamps])
    with contextlib.suppress(OSError, ValueError):
        if (folder / CHECKED).read_text() == checked:
            return True
    if found.computed_fingerprint(tell) != fingerprint:
        return False
    if lasting and _stamps_of(folder) == stamps:
        with contextlib.suppress(OSError):  # then it is read again
            (folder / CHECKED).write_text(checked)
    return True


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
    folder: Path,
    image_shape: tuple[int, int, int],
    class_names: tuple[str, ...],
    make: Make,
    alone: bool,
    tell: Tell,
) -> None:
    """Under other names first, the index last: whatever happens, nothing passes for whole that is not."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / INDEX).unlink(missing_ok=True)
    owner = KEPT if alone else uuid.uuid4().hex
    parts = {name: folder / f"{name}.{owner}.part" for name in (IMAGES, LABELS, REJECTED, INDEX)}
    journal = folder / f"{JOURNAL}.{owner}.part"
    if alone:
        for left in {*folder.glob("*.part")} - {parts[IMAGES], journal}:  # by a process that was killed
            left.unlink()
    try:
        labels, rejected = _fill(parts[IMAGES], journal, math.prod(image_shape), make, tell)
        parts[LABELS].write_bytes(np.asarray(labels, np.int32).tobytes())
        parts[REJECTED].write_bytes("".join(f"{line}\n" for line in rejected).encode())
        shape = (len(labels), *image_shape)
        made = _mapped(parts[IMAGES], parts[LABELS], shape, class_names)
        if made is None:
            raise OSError("fewer bytes than were written")  # noqa: TRY301 - to remove the rest as well
        index = _Index(images=len(labels), rejected=len(rejected), fingerprint=made.fingerprint)
        parts[INDEX].write_text(index.model_dump_json())
        for name, part in parts.items():
            part.replace(folder / name)
        journal.unlink()
    except OSError:  # there is no room for it
        for part in (*parts.values(), journal):
            part.unlink(missing_ok=True)
        raise


def _fill(
    images: Path, journal: Path, image_bytes: int, make: Make, tell: Tell
) -> tuple[list[int], list[str]]:
    """Make what is not there yet; labels and rejections, as they are read again from the files."""
    # Written, not memory-mapped: a full disk is then an error, and not the end of the process.
    with Chunks(images, journal, image_bytes, tell) as chunks:
        for item in make(chunks.items):
            chunks.add(item)
        chunks.keep()
        made = chunks.items
    with Chunks(
        images, journal, image_bytes, tell
    ) as chunks:  # where locks do not lock, two may have written
        if chunks.items != made:
            raise OSError("not what was written")
        return chunks.labels, chunks.rejected


@contextlib.contextmanager
def locked(folder: Path, what: str, tell: Tell = silent) -> Iterator[bool]:
    """Wait for ``folder``'s lock and hold it until the context or the process ends, however it ends.

    Where the file system has no locks, or the folder takes no file, there is nothing to wait for: whoever
    uses this must be safe without, and only saves work by it.

    Args:
        folder: made if it is missing.
        what: "... is decoded", told while another process holds the lock.
        tell: told all the time that this waits.

    Yields:
        whether it is held.
    """
    with contextlib.ExitStack() as stack:
        held = False
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            stack.callback(os.close, descriptor)
            while not held:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    held = True
                except BlockingIOError:
                    tell(Activity(f"{what} by another process: waiting for it"))
                    time.sleep(WAIT_S)
        yield held

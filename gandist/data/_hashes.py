"""Hashes of files' contents.

Each is remembered by what the file system tells of its file, so that a large folder is read once on a
machine, and later only looked at. What is remembered is a line a file, which bears a checksum: a torn or
damaged one counts as none. Several processes may add lines at a time.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gandist.activity import Activity, Tell
from gandist.data import _cache
from gandist.data._stamps import Stamp, of_file, settled, stamp

MEMORY = "sha256"
KEEP_S = 1.0
PIECE = 2**20


def contents(paths: Sequence[Path], memory: Path, tell: Tell) -> list[tuple[Stamp | None, str]]:
    """For each path what it was when it was read, and the SHA-256 of its content, empty if it cannot be read.

    Args:
        paths: of files.
        memory: the folder of what is remembered of them.
        tell: told how many files are read.
    """
    known = _recall(memory)
    stamps = []
    for number, path in enumerate(paths, 1):
        stamps.append(stamp(path))
        tell(Activity("looking at pictures", number, len(paths)))
    if not any(s is not None and s not in known for s in stamps):
        return [(s, known[s] if s else "") for s in stamps]
    with _cache.locked(memory, "pictures are read", tell):
        known |= _recall(memory)  # of another process, for which this one may have waited
        new = [path for path, s in zip(paths, stamps, strict=True) if s is not None and s not in known]
        read = dict(zip(new, _read(new, memory, tell), strict=True))
    return [
        read[path] if path in read else (s, known[s] if s else "")
        for path, s in zip(paths, stamps, strict=True)
    ]


def _read(paths: Sequence[Path], memory: Path, tell: Tell) -> Iterator[tuple[Stamp | None, str]]:
    lines: list[bytes] = []
    kept = time.monotonic()
    with ThreadPoolExecutor(_cache.workers()) as threads:
        try:
            for number, (found, digest) in enumerate(threads.map(_digest, paths), 1):
                tell(Activity("reading pictures", number, len(paths)))
                if found is not None and digest and settled(found):
                    lines.append(_line(found, digest))
                if time.monotonic() - kept > KEEP_S or number == len(paths):
                    _remember(memory, lines)
                    lines, kept = [], time.monotonic()
                yield found, digest
        finally:
            threads.shutdown(cancel_futures=True)


def _digest(path: Path) -> tuple[Stamp | None, str]:
    digest = hashlib.sha256()
    try:
        # A pipe that has taken a picture's place is not waited for.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0) as file:
            before = of_file(os.fstat(file.fileno()))
            while before is not None and (piece := file.read(PIECE)):
                digest.update(piece)
            same = before is not None and before == of_file(os.fstat(file.fileno()))
    except OSError:
        return stamp(path), ""
    return (before, digest.hexdigest()) if same else (None, "")


def _line(found: Stamp, digest: str) -> bytes:
    text = " ".join([*map(str, found), digest]).encode()
    return b"%b %08x\n" % (text, zlib.crc32(text))


def _remember(memory: Path, lines: list[bytes]) -> None:
    with contextlib.suppress(OSError):  # then they are read again
        memory.mkdir(parents=True, exist_ok=True)
        with (memory / MEMORY).open("ab", buffering=0) as file:
            file.write(b"\n" + b"".join(lines))  # one write: other processes' lines come before or after


def _recall(memory: Path) -> dict[Stamp, str]:
    try:
        lines = (memory / MEMORY).read_bytes().split(b"\n")
    except OSError:
        return {}
    found: dict[Stamp, str] = {}
    for line in lines:
        text, _, check = line.rpartition(b" ")
        if check == b"%08x" % zlib.crc32(text):
            *numbers, digest = text.split(b" ")
            device, inode, size, content, status = map(int, numbers)
            found[device, inode, size, content, status] = digest.decode()
    return found

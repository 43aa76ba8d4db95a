"""A directory on a disk, which may be a stranger's: what in it is a file, and what leads out of it."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def leads_into(home: str, full: str) -> bool:
    """Whether ``full``, links followed, lies in the directory ``home``, its own links followed."""
    home = os.path.realpath(home)
    return os.path.commonpath([home, os.path.realpath(full)]) == home


def no_file(full: str, limit: int) -> str | None:
    """Why ``full`` is not read as a file of up to ``limit`` bytes; None = nothing speaks against it.

    Found before it is opened, which would wait for ever for a pipe's other end.

    Raises:
        OSError: there is nothing, or it cannot be looked at.
    """
    try:
        found = Path(full).stat()
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.ENAMETOOLONG):
            return os.strerror(error.errno)
        raise
    if not stat.S_ISREG(found.st_mode):
        return "not a regular file"
    return f"larger than {limit:,} bytes" if found.st_size > limit else None


def size(full: str) -> int:
    """Bytes of a file, or of all in a directory; of a link those of the link itself. 0 where nothing is."""
    try:
        found = os.lstat(full)
    except OSError:
        return 0
    if not stat.S_ISDIR(found.st_mode):
        return found.st_size
    with os.scandir(full) as entries:
        return sum(size(entry.path) for entry in entries)

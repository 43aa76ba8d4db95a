"""What the file system tells of a file: while it stays the same, so does the content."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

Stamp = tuple[int, int, int, int, int]
"""Device, inode, size, and the times of the last change of content and of status, in ns."""
SETTLED_NS = 2 * 10**9
"""What has just changed may do so again within a tick of its file system's clock."""


def stamp(path: Path) -> Stamp | None:
    """Of a regular file; None of what cannot be read."""
    try:
        return of_file(path.stat())
    except (OSError, ValueError):
        return None


def of_file(status: os.stat_result) -> Stamp | None:
    """Of what an open file's ``fstat`` gave; None of anything but a regular file."""
    if not stat.S_ISREG(status.st_mode):
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def settled(found: Stamp) -> bool:
    """Whether the stamp will change with the content: only then is it worth remembering."""
    return time.time_ns() - max(found[3:]) > SETTLED_NS

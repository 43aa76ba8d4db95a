"""How a file appears under its name: complete, or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.fs as pafs

T = TypeVar("T")

_UNFINISHED = re.compile(r".+\.[0-9a-f]{32}\.tmp")


def upload(fs: pafs.FileSystem, full: str, produce: Callable[[pa.NativeFile], T]) -> T:
    """Write the file ``full`` in an object store, which shows an object when its upload has ended.

    Where ``produce`` fails the upload ends all the same: this is for what cannot fail half-way.
    """
    with fs.open_output_stream(full) as stream:
        return produce(stream)


def write_and_rename(
    fs: pafs.FileSystem, full: str, produce: Callable[[pa.NativeFile], T], *, local: bool
) -> T:
    """Write the file ``full`` under another name first; an object store copies where a disk renames.

    Returns:
        what ``produce`` does.
    """
    target = f"{full}.{uuid.uuid4().hex}.tmp"
    try:
        if local:
            fs.create_dir(str(Path(full).parent), recursive=True)
        produced = upload(fs, target, produce)
        if local:
            fs.move(target, full)
            return produced
        fs.copy_file(target, full)
    except BaseException:
        _delete_quietly(fs, target)
        raise
    _delete_quietly(fs, target)
    return produced


def unfinished(base: str) -> Iterator[Path]:
    """What writes that were interrupted have left in the local directory ``base`` and below."""
    # Not by way of links, of which a few that lead back make a walk without end.
    for folder, _, names in os.walk(base):
        yield from (Path(folder, name) for name in names if _UNFINISHED.fullmatch(name))


def _delete_quietly(fs: pafs.FileSystem, full: str) -> None:
    # What refused a write may refuse this as well; the first error is the one to tell.
    with contextlib.suppress(OSError):
        fs.delete_file(full)

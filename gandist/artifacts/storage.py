"""Files under one root: a local path or ``s3://bucket/prefix``, through pyarrow.fs."""

from __future__ import annotations

import copy
import errno
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.fs as pafs

from gandist.artifacts import atomic, local
from gandist.artifacts.address import open_address
from gandist.artifacts.retry import Retry
from gandist.errors import NotAFileError, StorageError

T = TypeVar("T")

MAX_BYTES = 2**36
"""Of a file, where nothing smaller is expected: no generator or checkpoint comes near it."""
CHUNK = 2**22


class Storage:
    """Reads and writes whole files by their path relative to a root.

    A file appears under its name complete or not at all. What the storage refuses is tried again for a
    while, see ``Retry``. Cheap to make from its root, so processes exchange the root and not the object.

    What lies in a local directory may be a stranger's: only regular files are read, and a link that leads out
    of it is followed neither for reading nor for writing. The way to the directory itself may have links.

    Args:
        root: a local directory, made when first written to, or ``s3://bucket/prefix``.
        retry: how a storage that refuses is asked again.

    Raises:
        StorageError: ``root`` is not an address that pyarrow knows, holds a secret, or cannot be reached.
    """

    def __init__(self, root: str, retry: Retry = Retry()) -> None:  # noqa: B008 - frozen
        self._retry = retry
        self._fs, self._base = retry(
            lambda: open_address(root), f"storage {root}: cannot be reached", retry.read_s
        )
        self._local = isinstance(self._fs, pafs.LocalFileSystem)
        self._home = self._base
        """What no link may lead out of."""
        self.root = root

    def __str__(self) -> str:
        return self.root

    def sub(self, path: str, *, own: bool = False) -> Storage:
        """The storage whose root is ``path`` in this one.

        Args:
            path: from here.
            own: it is a directory for itself: a link may lead to it, and none in it out of it.
        """
        part = copy.copy(self)
        part._base, part.root = self._join(path), self.where(path)
        part._home = part._base if own else self._home
        return part

    def where(self, path: str = "") -> str:
        """How a person finds ``path``."""
        return f"{self.root.rstrip('/')}/{path}" if path else self.root

    def read(self, path: str, limit: int = MAX_BYTES) -> bytes:
        """The file's content.

        Args:
            path: from here.
            limit: bytes; a file with more is not read.

        Raises:
            FileNotFoundError: there is no such file.
            NotAFileError: there is something else, or a larger file.
            StorageError: the storage refused.
        """

        def attempt() -> bytes | None:
            try:
                self._refuse_irregular(path, limit)
                with self._fs.open_input_stream(self._full(path)) as stream:
                    return self._at_most(stream, path, limit)
            except FileNotFoundError:
                return None

        content = self._retry(attempt, f"{self.where(path)}: cannot be read", self._retry.read_s)
        if content is None:
            raise FileNotFoundError(errno.ENOENT, "no such file", self.where(path))
        return content

    def _at_most(self, stream: pa.NativeFile, path: str, limit: int) -> bytes:
        chunks, left = [], limit
        while chunk := stream.read(min(CHUNK, left + 1)):
            chunks.append(chunk)
            left -= len(chunk)
            if left < 0:
                raise self._no_file(path, f"larger than {limit:,} bytes")
        return b"".join(chunks)

    def _refuse_irregular(self, path: str, limit: int) -> None:
        if not self._local:
            return
        full = self._full(path)
        if why := local.no_file(full, limit):
            raise self._no_file(path, why)
        if not local.leads_into(self._home, full):
            raise self._elsewhere(path)

    def _no_file(self, path: str, what: str) -> NotAFileError:
        return NotAFileError(f"{self.where(path)}: cannot be read: {what}; check the path")

    def write(self, path: str, content: bytes) -> None:
        """Write a file, or replace it, atomically.

        Raises:
            StorageError: the storage refused.
        """
        if self._local:
            self.write_stream(path, lambda stream: stream.write(content))
            return
        write = partial(atomic.upload, self._fs, self._full(path), lambda stream: stream.write(content))
        self._retry(write, f"{self.where(path)}: cannot be written", self._retry.write_s)

    def write_stream(self, path: str, produce: Callable[[pa.NativeFile], T]) -> T:
        """The same, for a file that need not fit into memory; returns what ``produce`` does.

        Args:
            path: from here.
            produce: writes the content. Where the storage refuses, it is begun again.

        Raises:
            StorageError: the storage refused.
        """
        full = self._full(path)
        # Under another name in an object store, too: where ``produce`` fails, its upload ends all the same.
        write = partial(atomic.write_and_rename, self._fs, full, produce, local=self._local)
        return self._retry(write, f"{self.where(path)}: cannot be written", self._retry.write_s)

    def exists(self, path: str) -> bool:
        """Whether ``path`` is a file or a directory of this one, and not what a link leads out to.

        Raises:
            StorageError: the storage refused.
        """
        return self._is_ours(path) and bool(self._type(path) != pafs.FileType.NotFound)

    def holds(self, path: str) -> bool:
        """Whether no link leads out of this one on the way to ``path`` or from it."""
        return not self._local or local.leads_into(self._home, self._join(path))

    def is_link(self, path: str) -> bool:
        """Whether ``path`` is a symbolic link; gandist makes none."""
        return self._local and Path(self._join(path)).is_symlink()

    def list(self, path: str = "") -> list[str]:
        """The names directly under ``path``, sorted, without unfinished writes; none if it does not exist.

        Raises:
            NotAFileError: it is a link that leads out of the directory.
            StorageError: the storage refused.
        """
        return sorted(self._finished(path))

    def stamps(self, path: str) -> dict[str, str]:
        """Of each name that ``list`` gives, what changes with the file: its size and when it was written."""
        return {name: _stamp(info) for name, info in self._finished(path).items()}

    def file_stamps(self, paths: Sequence[str]) -> dict[str, str]:
        """The stamps of those of ``paths`` that are there, without a listing.

        Raises:
            StorageError: the storage refused.
        """
        full = [self._join(path) for path in paths]
        look: Callable[[], Sequence[pafs.FileInfo]] = partial(self._fs.get_file_info, full)
        infos = self._retry(look, f"{self.root}: cannot be reached", self._retry.read_s)
        found = zip(paths, infos, strict=True)
        return {path: _stamp(info) for path, info in found if info.type != pafs.FileType.NotFound}

    def _finished(self, path: str) -> dict[str, pafs.FileInfo]:
        found = {name_of(info): info for info in self._infos(path)}
        return {name: info for name, info in found.items() if name and not name.endswith(".tmp")}

    def size(self, path: str) -> int:
        """Bytes of a file, or of all files in a directory; 0 if it is not there.

        Raises:
            StorageError: the storage refused.
        """
        if self._local:
            return local.size(self._full(path))
        infos = [*self._infos(path, recursive=True), self._fs.get_file_info(self._full(path))]
        return sum(info.size or 0 for info in infos)

    def delete(self, path: str) -> None:
        """Delete a file or a link, or a directory with all it holds; nothing if it is not there.

        Raises:
            StorageError: the storage refused.
        """
        if not self._is_ours(path):
            return
        full = self._full(path)

        def attempt() -> None:
            info = self._fs.get_file_info(full)
            if info.type == pafs.FileType.Directory and not self.is_link(path):
                self._fs.delete_dir(full)
            elif info.type != pafs.FileType.NotFound or self.is_link(path):
                self._fs.delete_file(full)

        self._retry(attempt, f"{self.where(path)}: cannot be deleted", self._retry.write_s)

    def move(self, source: str, destination: str) -> None:
        """Move a file, or a directory with all it holds; the directories above ``destination`` are made.

        At once in a file system. An object store has no rename: there every file is copied before any is
        deleted, so whoever is interrupted has lost nothing.

        Raises:
            StorageError: there is no ``source``, ``destination`` exists, or the storage refused.
        """
        what = f"{self.where(source)}: cannot be moved to {self.where(destination)}"
        kind = self._type(source)
        if kind == pafs.FileType.NotFound:
            raise StorageError(f"{what}: there is no such file or directory")
        if self.exists(destination):
            raise StorageError(f"{what}, which exists; move that away first")
        here, there = self._full(source), self._full(destination)
        if self._local:
            self._retry(lambda: self._rename(here, there), what, self._retry.write_s)
            return
        paths = [here]
        if kind == pafs.FileType.Directory:
            infos = self._infos(source, recursive=True)
            paths = [info.path for info in infos if info.type == pafs.FileType.File]
        for path in paths:
            copied = there + path.removeprefix(here)
            self._retry(partial(self._fs.copy_file, path, copied), what, self._retry.write_s)
        self.delete(source)

    def delete_unfinished(self) -> None:
        """Delete what writes that were interrupted have left; only where nothing is being written.

        Raises:
            StorageError: the storage refused.
        """
        for left in atomic.unfinished(self._base) if self._local else ():
            delete = partial(left.unlink, missing_ok=True)
            self._retry(delete, f"{self.root}: cannot be tidied up", self._retry.write_s)

    def _join(self, path: str) -> str:
        return f"{self._base}/{path}" if path else self._base

    def _full(self, path: str) -> str:
        """Where ``path`` lies in the file system.

        Raises:
            NotAFileError: a link on the way leads out of the directory.
        """
        if not self._is_ours(path):
            raise self._elsewhere(path)
        return self._join(path)

    def _elsewhere(self, path: str) -> NotAFileError:
        return NotAFileError(f"{self.where(path)}: a link leads out of the directory; check the path")

    def _is_ours(self, path: str) -> bool:
        full = self._join(path)
        return not self._local or full == self._home or local.leads_into(self._home, str(Path(full).parent))

    def _type(self, path: str) -> pafs.FileType:
        full = self._full(path)
        what = f"{self.where(path)}: cannot be reached"
        return self._retry(lambda: self._fs.get_file_info(full), what, self._retry.read_s).type

    def _infos(self, path: str, recursive: bool = False) -> Sequence[pafs.FileInfo]:
        full = self._join(path)
        if not self.holds(path):
            raise self._elsewhere(path)
        selector = pafs.FileSelector(full, allow_not_found=True, recursive=recursive)
        what = f"{self.where(path)}: cannot be listed"
        list_: Callable[[], Sequence[pafs.FileInfo]] = partial(self._fs.get_file_info, selector)
        return self._retry(list_, what, self._retry.read_s)

    def _rename(self, here: str, there: str) -> None:
        self._fs.create_dir(str(Path(there).parent), recursive=True)
        self._fs.move(here, there)


def _stamp(info: pafs.FileInfo) -> str:
    return f"{info.size} {info.mtime_ns}"


def name_of(info: pafs.FileInfo) -> str:
    """The file's name; empty for one that is no text, and so none of gandist's."""
    try:
        return str(info.base_name)
    except UnicodeDecodeError:
        return ""

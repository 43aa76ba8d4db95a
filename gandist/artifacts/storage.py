"""Files under one root: a local path or ``s3://bucket/prefix``, through pyarrow.fs."""

from __future__ import annotations

import contextlib
import copy
import errno
import re
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pyarrow.fs as pafs

from gandist.artifacts.address import open_address
from gandist.artifacts.retry import Retry
from gandist.errors import StorageError

_UNFINISHED = re.compile(r".+\.[0-9a-f]{32}\.tmp")


class Storage:
    """Reads and writes whole files by their path relative to a root.

    A file appears under its name complete or not at all. What the storage refuses is tried again for a
    while, see ``Retry``. Cheap to make from its root, so processes exchange
    the root and not the object.

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
        self.root = root

    def __str__(self) -> str:
        return self.root

    def sub(self, path: str) -> Storage:
        """The storage whose root is ``path`` in this one."""
        part = copy.copy(self)
        part._base, part.root = self._full(path), self.where(path)
        return part

    def where(self, path: str = "") -> str:
        """How a person finds ``path``."""
        return f"{self.root.rstrip('/')}/{path}" if path else self.root

    def read(self, path: str) -> bytes:
        """The file's content.

        Raises:
            FileNotFoundError: there is no such file.
            StorageError: the storage refused.
        """

        def attempt() -> bytes | None:
            try:
                with self._fs.open_input_stream(self._full(path)) as stream:
                    return bytes(stream.read())
            except FileNotFoundError:
                return None

        content = self._retry(attempt, f"{self.where(path)}: cannot be read", self._retry.read_s)
        if content is None:
            raise FileNotFoundError(errno.ENOENT, "no such file", self.where(path))
        return content

    def write(self, path: str, content: bytes) -> None:
        """Write a file, or replace it, atomically.

        Raises:
            StorageError: the storage refused.
        """
        full = self._full(path)
        write = partial(self._write_and_rename if self._local else self._upload, full, content)
        self._retry(write, f"{self.where(path)}: cannot be written", self._retry.write_s)

    def exists(self, path: str) -> bool:
        """Whether ``path`` is a file or a directory.

        Raises:
            StorageError: the storage refused.
        """
        return bool(self._type(path) != pafs.FileType.NotFound)

    def list(self, path: str = "") -> list[str]:
        """The names directly under ``path``, sorted, without unfinished writes; none if it does not exist.

        Raises:
            StorageError: the storage refused.
        """
        names = [info.base_name for info in self._infos(path)]
        return sorted(name for name in names if not name.endswith(".tmp"))

    def delete(self, path: str) -> None:
        """Delete a file, or a directory with all it holds; nothing if it is not there.

        Raises:
            StorageError: the storage refused.
        """
        full = self._full(path)

        def attempt() -> None:
            info = self._fs.get_file_info(full)
            if info.type == pafs.FileType.Directory:
                self._fs.delete_dir(full)
            elif info.type == pafs.FileType.File:
                self._fs.delete_file(full)

        self._retry(attempt, f"{self.where(path)}: cannot be deleted", self._retry.write_s)

    def move(self, source: str, destination: str) -> None:
        """Move a directory with all it holds; the directories above ``destination`` are made.

        At once in a file system. An object store has no rename: there every file is copied before any is
        deleted, so whoever is interrupted has lost nothing.

        Raises:
            StorageError: ``source`` is no directory, ``destination`` exists, or the storage refused.
        """
        what = f"{self.where(source)}: cannot be moved to {self.where(destination)}"
        if self._type(source) != pafs.FileType.Directory:
            raise StorageError(f"{what}: there is no such directory")
        if self.exists(destination):
            raise StorageError(f"{what}, which exists; move that away first")
        here, there = self._full(source), self._full(destination)
        if self._local:
            self._retry(lambda: self._rename(here, there), what, self._retry.write_s)
            return
        for info in self._infos(source, recursive=True):
            if info.type == pafs.FileType.File:
                copied = there + info.path.removeprefix(here)
                self._retry(partial(self._fs.copy_file, info.path, copied), what, self._retry.write_s)
        self.delete(source)

    def delete_unfinished(self) -> None:
        """Delete what writes that were interrupted have left; only where nothing is being written.

        Raises:
            StorageError: the storage refused.
        """
        for info in self._infos("", recursive=True) if self._local else ():
            if _UNFINISHED.fullmatch(info.base_name):
                self.delete(info.path.removeprefix(f"{self._base}/"))

    def _full(self, path: str) -> str:
        return f"{self._base}/{path}" if path else self._base

    def _type(self, path: str) -> pafs.FileType:
        full = self._full(path)
        what = f"{self.where(path)}: cannot be reached"
        return self._retry(lambda: self._fs.get_file_info(full), what, self._retry.read_s).type

    def _infos(self, path: str, recursive: bool = False) -> Sequence[pafs.FileInfo]:
        selector = pafs.FileSelector(self._full(path), allow_not_found=True, recursive=recursive)
        what = f"{self.where(path)}: cannot be listed"
        list_: Callable[[], Sequence[pafs.FileInfo]] = partial(self._fs.get_file_info, selector)
        return self._retry(list_, what, self._retry.read_s)

    def _upload(self, full: str, content: bytes) -> None:
        # An object store shows an object when its upload has ended; a file system needs a rename for that.
        with self._fs.open_output_stream(full) as stream:
            stream.write(content)

    def _write_and_rename(self, full: str, content: bytes) -> None:
        target = f"{full}.{uuid.uuid4().hex}.tmp"
        try:
            self._fs.create_dir(str(Path(full).parent), recursive=True)
            self._upload(target, content)
            self._fs.move(target, full)
        except OSError:
            # What refused the write may refuse this as well; the first error is the one to tell.
            with contextlib.suppress(OSError):
                Path(target).unlink(missing_ok=True)
            raise

    def _rename(self, here: str, there: str) -> None:
        self._fs.create_dir(str(Path(there).parent), recursive=True)
        self._fs.move(here, there)

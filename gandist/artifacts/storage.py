"""Files under one root: a local path or ``s3://bucket/prefix``, through pyarrow.fs."""

from __future__ import annotations

import uuid
from pathlib import Path

import pyarrow.fs as pafs

from gandist.errors import StorageError


class Storage:
    """Reads and writes whole files by their path relative to a root.

    A file appears under its name complete or not at all. Cheap to make from its root, so processes exchange
    the root and not the object.

    Args:
        root: a local directory, made when first written to, or ``s3://bucket/prefix``.
    """

    def __init__(self, root: str) -> None:
        try:
            if "://" in root:
                self._fs, self._base = pafs.FileSystem.from_uri(root)
            else:
                self._fs, self._base = pafs.LocalFileSystem(), str(Path(root).absolute())
        except (OSError, ValueError) as error:
            raise StorageError(f"storage {root}: {_line(error)}") from error
        self._local = isinstance(self._fs, pafs.LocalFileSystem)
        self.root = root

    def __str__(self) -> str:
        return self.root

    def sub(self, path: str) -> Storage:
        """The storage whose root is ``path`` in this one."""
        return Storage(f"{self.root.rstrip('/')}/{path}")

    def where(self, path: str = "") -> str:
        """How a person finds ``path``."""
        return f"{self.root.rstrip('/')}/{path}" if path else self.root

    def read(self, path: str) -> bytes:
        """The file's content.

        Raises:
            FileNotFoundError: there is no such file.
            StorageError: the storage refused.
        """
        try:
            with self._fs.open_input_stream(self._full(path)) as stream:
                return bytes(stream.read())
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StorageError(f"{self.where(path)}: cannot be read: {_line(error)}") from error

    def write(self, path: str, content: bytes) -> None:
        """Write a file, or replace it, atomically.

        Raises:
            StorageError: the storage refused.
        """
        full = self._full(path)
        # An object store shows an object when its upload has ended; a file system needs a rename for that.
        target = f"{full}.{uuid.uuid4().hex}.tmp" if self._local else full
        try:
            if self._local:
                self._fs.create_dir(str(Path(full).parent), recursive=True)
            with self._fs.open_output_stream(target) as stream:
                stream.write(content)
            if self._local:
                self._fs.move(target, full)
        except OSError as error:
            if self._local:
                Path(target).unlink(missing_ok=True)
            raise StorageError(f"{self.where(path)}: cannot be written: {_line(error)}") from error

    def exists(self, path: str) -> bool:
        """Whether ``path`` is a file or a directory."""
        try:
            info = self._fs.get_file_info(self._full(path))
        except OSError as error:
            raise StorageError(f"{self.where(path)}: cannot be reached: {_line(error)}") from error
        return bool(info.type != pafs.FileType.NotFound)

    def list(self, path: str = "") -> list[str]:
        """The names directly under ``path``, sorted, without unfinished writes; none if it does not exist."""
        selector = pafs.FileSelector(self._full(path), allow_not_found=True)
        try:
            infos = self._fs.get_file_info(selector)
        except OSError as error:
            raise StorageError(f"{self.where(path)}: cannot be listed: {_line(error)}") from error
        return sorted(info.base_name for info in infos if not info.base_name.endswith(".tmp"))

    def delete(self, path: str) -> None:
        """Delete a file, or a directory with all it holds; nothing if it is not there."""
        full = self._full(path)
        try:
            info = self._fs.get_file_info(full)
            if info.type == pafs.FileType.Directory:
                self._fs.delete_dir(full)
            elif info.type == pafs.FileType.File:
                self._fs.delete_file(full)
        except OSError as error:
            raise StorageError(f"{self.where(path)}: cannot be deleted: {_line(error)}") from error

    def _full(self, path: str) -> str:
        return f"{self._base}/{path}" if path else self._base


def _line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]

"""File systems that refuse on request, and time that passes at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.fs as pafs
import pytest

from gandist.artifacts.storage import Storage

Check = Callable[[str, str], None]
"""``(operation, path)``: raises what the storage is to refuse with."""

LOCAL = pafs.LocalFileSystem


class Clock:
    """Seconds that pass only by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Times:
    """Raises ``error`` the first ``times`` times that one of ``operations`` is asked for; counts them."""

    def __init__(self, times: float, error: Exception, *operations: str) -> None:
        self.left, self.error, self.operations = times, error, operations
        self.asked = 0

    def __call__(self, operation: str, _path: str) -> None:
        if operation in self.operations:
            self.asked += 1
            if self.left > 0:
                self.left -= 1
                raise self.error


def local_file_system(check: Check) -> type[pafs.LocalFileSystem]:
    """A local file system that asks ``check`` before each operation, to stand for pyarrow's own."""

    class Faulty(LOCAL):  # type: ignore[misc, valid-type]
        def get_file_info(self, paths: Any) -> Any:
            check("get_file_info", paths if isinstance(paths, str) else paths.base_dir)
            return LOCAL.get_file_info(self, paths)

        def create_dir(self, path: str, *, recursive: bool = True) -> None:
            check("create_dir", path)
            LOCAL.create_dir(self, path, recursive=recursive)

        def delete_dir(self, path: str) -> None:
            check("delete_dir", path)
            LOCAL.delete_dir(self, path)

        def delete_file(self, path: str) -> None:
            check("delete_file", path)
            LOCAL.delete_file(self, path)

        def move(self, src: str, dest: str) -> None:
            check("move", dest)
            LOCAL.move(self, src, dest)

        def open_input_stream(self, path: str) -> Any:
            check("open_input_stream", path)
            return LOCAL.open_input_stream(self, path)

        def open_output_stream(self, path: str) -> Any:
            check("open_output_stream", path)
            return Stream(LOCAL.open_output_stream(self, path), path, check)

    return Faulty


class Stream:
    """Asks ``check`` for ``write`` when half of the content is written."""

    def __init__(self, stream: Any, path: str, check: Check) -> None:
        self.stream, self.path, self.check = stream, path, check

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, content: bytes) -> None:
        half = len(content) // 2
        self.stream.write(content[:half])
        self.check("write", self.path)
        self.stream.write(content[half:])


class ObjectStore(LOCAL):  # type: ignore[misc, valid-type]
    """Has no directories to make and no rename; ``copied`` holds what was copied, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.copied: list[str] = []

    def open_output_stream(self, path: str) -> Any:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        return LOCAL.open_output_stream(self, path)

    def copy_file(self, src: str, dest: str) -> None:
        self.copied.append(Path(src).name)
        Path(dest).parent.mkdir(parents=True, exist_ok=True)
        LOCAL.copy_file(self, src, dest)

    def move(self, src: str, dest: str) -> None:
        raise NotImplementedError


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def faulty(monkeypatch: pytest.MonkeyPatch, storage: Storage, check: Check) -> Storage:
    """``storage`` over a file system that asks ``check`` first."""
    monkeypatch.setattr(pafs, "LocalFileSystem", local_file_system(check))
    return Storage(storage.root, storage._retry)

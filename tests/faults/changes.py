"""Things to do to files, relative to the working directory: what a table of bad inputs is made of."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from gandist.artifacts import tables

Change = Callable[[], object]


def text(path: str, content: str) -> Change:
    """Write a file."""
    return lambda: (Path(path).parent.mkdir(parents=True, exist_ok=True), Path(path).write_text(content))


def npz(path: str, **arrays: Any) -> Change:
    """Write arrays, pickled where they need it."""
    return lambda: np.savez(path, **arrays)


def copy(path: str, to: str) -> Change:
    """Copy a file over another."""
    return lambda: shutil.copy(path, to)


def cut(path: str) -> Change:
    """Drop the second half of a file."""
    return lambda: Path(path).write_bytes(Path(path).read_bytes()[: Path(path).stat().st_size // 2])


def gone(path: str) -> Change:
    """Delete a file or a directory."""
    return lambda: shutil.rmtree(path) if Path(path).is_dir() else Path(path).unlink()


def folder(path: str) -> Change:
    """A directory, in place of what was there."""
    return lambda: (Path(path).unlink(missing_ok=True), Path(path).mkdir(parents=True))


def edit(path: str, **fields: Any) -> Change:
    """Replace fields of a JSON file."""
    return lambda: Path(path).write_text(json.dumps({**json.loads(Path(path).read_text()), **fields}))


def parquet(path: str, table: Any) -> Change:
    """Write a table."""
    return lambda: Path(path).write_bytes(tables.encode_table(table))


def vouched(content: Callable[[BinaryIO], object]) -> Change:
    """Another ``state.npz``, and its right checksum in the manifest: what a stranger could send."""

    def change() -> None:
        buffer = io.BytesIO()
        content(buffer)
        Path("state.npz").write_bytes(buffer.getvalue())
        edit("manifest.json", sha256={"state.npz": hashlib.sha256(buffer.getvalue()).hexdigest()})()

    return change

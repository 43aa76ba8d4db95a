"""Where exports go: a directory of the user's, in which only a job's own earlier exports are replaced."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import TypeVar

import pyarrow as pa

from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.retry import Retry
from gandist.artifacts.storage import Storage
from gandist.errors import UsageError
from gandist.printable import printable

T = TypeVar("T")

RECORD = "gandist-export.json"
"""Beside what was exported: of which job it is, and the names of the files."""
MAX_BYTES = 2**24


class Place:
    """A directory for the exports of one job.

    Args:
        root: a path or ``s3://...``; made when first written to.
        job_dir: whose exports.
        option: of the command line, for errors.

    Raises:
        UsageError: another job's exports lie there.
        StorageError: it cannot be reached.
    """

    def __init__(self, root: str, job_dir: JobDir, option: str) -> None:
        self.root, self._option = root, option
        self.storage = Storage(root, Retry(write_s=0.0))
        self._job = identity(job_dir)
        self._claimed: set[str] = set()
        recorded = self._recorded()
        if recorded is not None and recorded != self._job:
            raise self._refusal("holds exports of another job")

    def claim(self, names: Collection[str]) -> None:
        """Make sure that files or directories called ``names`` may be written.

        Raises:
            UsageError: one of them is there and is none of the job's exports.
        """
        own = self._names()
        for name in names:
            if name not in own and self.storage.exists(name):
                raise self._refusal(f"{name} is there and was not exported from this job")
        self._claimed |= {*names}

    def write(self, name: str, content: bytes) -> None:
        """Write or replace a file that was claimed, or one in such a directory.

        Raises:
            StorageError: the storage refused.
        """
        self.write_stream(name, lambda stream: stream.write(content))

    def write_stream(self, name: str, produce: Callable[[pa.NativeFile], T]) -> T:
        """The same, for a file that need not fit into memory; returns what ``produce`` does."""
        if self._claimed:  # before the file: whoever is interrupted may write it again
            record = {"job": self._job, "files": sorted(self._names() | self._claimed)}
            self.storage.write(RECORD, json.dumps(record, indent=1).encode())
            self._claimed = set()
        return self.storage.write_stream(name, produce)

    def _names(self) -> set[str]:
        names = self._read().get("files")
        return {str(name) for name in names} if isinstance(names, list) else set()

    def _recorded(self) -> str | None:
        job = self._read().get("job")
        return None if job is None else str(job)

    def _read(self) -> dict[str, object]:
        try:
            record = json.loads(self.storage.read(RECORD, MAX_BYTES))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise self._refusal(f"{RECORD} cannot be read") from error
        return record if isinstance(record, dict) else {}

    def _refusal(self, why: str) -> UsageError:
        return UsageError(f"{self._option} {printable(self.root)}: {why}; give another directory")


def identity(job_dir: JobDir) -> str:
    """Tells a job from others, wherever its directory was copied to. Raises like ``read_manifest``."""
    manifest = job_dir.read_manifest()
    created = manifest.created_at
    return f"{manifest.job} of {created.isoformat()}" if created else manifest.job

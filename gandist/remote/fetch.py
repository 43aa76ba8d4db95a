"""Copying a job's results from storage to a local directory."""

from __future__ import annotations

import os
import shutil
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow.fs as pafs

from gandist.artifacts.address import open_address
from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.artifacts.manifest import Manifest
from gandist.artifacts.retry import Retry
from gandist.artifacts.storage import MAX_BYTES, name_of
from gandist.artifacts.trials import listed_trials
from gandist.errors import StorageError, UsageError

COPIES = 8
"""At a time: a round trip to the storage takes longer than most files."""
CHUNK = 1 << 20
MAX_DEPTH = 8
"""Of folders; a job has four. A link that leads back to where it lies would have no end."""
MANIFEST = "manifest.json"
TRIALS = "trials"
ONLY_ALL = {TrialDir.CHECKPOINTS, TrialDir.LOSSES, TrialDir.ARCHIVE}
"""Of a trial: what only going on with it needs, and what the merged tables and the sample grids have, too."""

Outcome = Literal["copied", "there", "gone"]


@dataclass(frozen=True)
class RemoteFile:
    """A file of the storage."""

    path: str
    """Relative to the job directory."""
    size: int
    mtime_ns: int


@dataclass
class Fetched:
    """What became of the files so far."""

    found: int = 0
    bytes: int = 0
    copied: int = 0
    there: int = 0
    """Copied earlier."""
    refused: int = 0
    """Links, what is larger than any file of a job, and names that would lead out or steer a terminal."""

    def __str__(self) -> str:
        refused = f"; {self.refused} left out as unsafe here" if self.refused else ""
        return (
            f"{self.copied} files copied, {self.bytes / 1e6:.1f} MB; {self.there} were there already{refused}"
        )


class Fetch:
    """Copies a job directory, or goes on with a copy; each file appears complete or not at all.

    Args:
        job_dir: what to copy.
        destination: becomes its copy.
        everything: checkpoints and the losses of each trial, too, so that the copy can be continued.
        retry: how a storage that refuses is asked again.
    """

    def __init__(
        self, job_dir: JobDir, destination: Path, *, everything: bool = False, retry: Retry | None = None
    ) -> None:
        self._job_dir = job_dir
        self._destination = destination
        self._everything = everything
        self._retry = retry or Retry()
        self._fs: pafs.FileSystem
        self._base: str
        self._leaving = threading.Event()
        self.fetched = Fetched()

    def run(self, show: Callable[[Fetched], None] = lambda _: None) -> Fetched:
        """Copy what is not there yet.

        Args:
            show: told how far it is, after each file.

        Raises:
            NotAJobError: there is no job.
            UsageError: the destination holds something else.
            StorageError: the storage refused, or the local disk did.
        """
        trials = listed_trials(self._job_dir)
        self._refuse_another()
        self._open()
        files = list(self._files(trials))
        self.fetched.found = len(files)
        if MANIFEST not in {file.path for file in files}:
            manifest = self._job_dir.storage.where(MANIFEST)
            raise StorageError(f"{manifest}: a link, or gone meanwhile; put the file itself there")
        self._refuse_more_than_fits(files)
        # First what makes it known as a copy of this job, which may be gone on with.
        files.sort(key=lambda file: file.path != MANIFEST)
        self._take(files[0], self._copy(files[0]))
        pool = ThreadPoolExecutor(COPIES)
        try:
            copies = {pool.submit(self._copy, file): file for file in files[1:]}
            for copy in as_completed(copies):
                self._take(copies[copy], copy.result())
                show(self.fetched)
        finally:
            self._leaving.set()
            pool.shutdown(cancel_futures=True)
        return self.fetched

    def _take(self, file: RemoteFile, outcome: Outcome) -> None:
        self.fetched.copied += outcome == "copied"
        self.fetched.bytes += file.size if outcome == "copied" else 0
        self.fetched.there += outcome == "there"

    def _refuse_another(self) -> None:
        here, root = self._destination, self._job_dir.root
        if here.exists() and not here.is_dir():
            raise UsageError(f"{here}: a file; give a directory")
        if "://" not in root and Path(root).resolve() in (here.resolve(), *here.resolve().parents):
            raise UsageError(f"{here}: lies in {root}, which is to be copied; give another directory")
        copy = JobDir(str(here))
        names = copy.storage.list()
        if not names:
            return
        before = copy.read_manifest() if MANIFEST in names else Manifest()
        there = self._job_dir.read_manifest()
        if (before.job, before.created_at) != (there.job, there.created_at):
            raise UsageError(f"{here}: holds something else than {root}; give another directory")
        copy.storage.delete_unfinished()

    def _refuse_more_than_fits(self, files: list[RemoteFile]) -> None:
        here = next(
            place for place in (self._destination, *self._destination.absolute().parents) if place.exists()
        )
        try:
            free, size = shutil.disk_usage(here).free, sum(file.size for file in files)
        except OSError as error:
            raise _disk_trouble(here, error) from error
        if size > free:
            raise StorageError(
                f"{self._destination}: {size / 1e9:,.1f} GB are to be copied, and {free / 1e9:,.1f} GB are "
                "free there; give a directory with more space"
            )

    def _open(self) -> None:
        root = self._job_dir.root
        self._fs, self._base = self._retry(
            lambda: open_address(root), f"{root}: cannot be reached", self._retry.read_s
        )

    def _files(self, trials: list[str]) -> Iterator[RemoteFile]:
        """What to copy. Lists hardly more than that: most files of a job are losses and checkpoints."""
        # A copy is run by nobody.
        yield from self._under("", {JobDir.DRIVER, TRIALS}, folders=self._everything)
        omitted = set() if self._everything else ONLY_ALL
        with ThreadPoolExecutor(COPIES) as pool:
            for files in pool.map(lambda trial: list(self._under(f"{TRIALS}/{trial}", omitted)), trials):
                yield from files

    def _under(self, folder: str, omitted: set[str], folders: bool = True) -> Iterator[RemoteFile]:
        """The files below ``folder``, without those of the names directly in it that are ``omitted``."""
        if not self._job_dir.storage.holds(folder):
            self.fetched.refused += 1
            return
        left = deque([folder])
        while left:
            at = left.popleft()
            for info in self._infos(at):
                name = name_of(info)
                if (at == folder and name in omitted) or name.endswith(".tmp"):
                    continue
                path = f"{at}/{name}" if at else name
                if not self._is_wanted(path, info):
                    self.fetched.refused += 1
                elif info.type == pafs.FileType.File:
                    yield RemoteFile(path, info.size, info.mtime_ns or 0)
                elif info.type == pafs.FileType.Directory and folders and path.count("/") < MAX_DEPTH:
                    left.append(path)

    def _is_wanted(self, path: str, info: pafs.FileInfo) -> bool:
        """Whether a job of gandist's could have it, under a name that is safe here."""
        fits = info.type != pafs.FileType.File or info.size <= MAX_BYTES
        named = _safe(name_of(info)) and info.path == f"{self._base}/{path}"
        return fits and named and not self._job_dir.storage.is_link(path)

    def _infos(self, folder: str) -> list[pafs.FileInfo]:
        full = f"{self._base}/{folder}" if folder else self._base
        selector = pafs.FileSelector(full, allow_not_found=True)
        what = f"{self._job_dir.storage.where(folder)}: cannot be listed"
        return list(self._retry(lambda: self._fs.get_file_info(selector), what, self._retry.read_s))

    def _copy(self, file: RemoteFile) -> Outcome:
        if self._leaving.is_set():
            return "gone"
        target = self._destination / file.path
        part = target.with_name(f"fetch.{uuid.uuid4().hex}.tmp")
        try:
            root = self._destination.resolve()
            if not target.resolve().is_relative_to(root):
                raise StorageError(f"{target}: a link leads out of {root}; give another directory")
            # A file that was written anew has another time, if not another size.
            if target.is_file() and (target.stat().st_size, target.stat().st_mtime_ns) == (
                file.size,
                file.mtime_ns,
            ):
                return "there"
            target.parent.mkdir(parents=True, exist_ok=True)
            if not self._download(file.path, part):
                return "gone"
            os.utime(part, ns=(file.mtime_ns, file.mtime_ns))
            part.replace(target)
        except OSError as error:
            raise _disk_trouble(target, error) from error
        finally:
            part.unlink(missing_ok=True)
        return "copied"

    def _download(self, path: str, part: Path) -> bool:
        """False where it has gone since it was listed: the job may be running."""

        def attempt() -> bool:
            try:
                source = self._fs.open_input_stream(f"{self._base}/{path}")
            except FileNotFoundError:
                return False
            with source, part.open("wb") as target:
                while chunk := source.read(CHUNK):
                    try:
                        target.write(chunk)
                        target.flush()
                    except OSError as error:  # not the storage's, which would be asked again
                        raise _disk_trouble(part.parent, error) from error
            return True

        what = f"{self._job_dir.storage.where(path)}: cannot be read"
        return self._retry(attempt, what, self._retry.read_s)


def _disk_trouble(where: Path, error: OSError) -> StorageError:
    return StorageError(f"{where}: cannot be written: {error.strerror or error}")


def _safe(name: str) -> bool:
    """Whether a stranger's name may become a file's here."""
    return name not in ("", ".", "..") and name.isprintable() and not set(name) & set("/\\:")

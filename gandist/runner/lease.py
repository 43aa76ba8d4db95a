"""One driver at a time: the lease on a job directory, ``driver.json``."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from gandist.artifacts import documents, driver
from gandist.artifacts.driver import Holder, read_holder
from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.storage import Storage
from gandist.errors import RunError, StorageError

LOOK_S = 1.0
SETTLE_S = 2.0
"""Between writing and reading back where nothing keeps others out: longer than a write is on its way."""


class Lease:
    """The right to run the trials of a job directory: taken with ``take``, given back on leaving.

    On a local disk the directory is locked while the lease is read and written, so of two drivers one gets
    it. An object storage has no lock: both write, wait and read back, and the one that finds its own token
    has it. A write that takes longer than that wait, or a holder that was asleep for longer than it is
    watched, leaves two drivers at work until the next renewal; then the one whose token is gone leaves.

    Args:
        storage: the job directory's.
        tell: takes a line for a person who waits.
        sleep: waits for so many seconds.
        renewing: whether a thread renews the lease; else call ``renew``.
    """

    def __init__(
        self,
        storage: Storage,
        tell: Callable[[str], None],
        sleep: Callable[[float], None] = time.sleep,
        *,
        renewing: bool = True,
    ) -> None:
        self._storage = storage
        self._tell = tell
        self._sleep = sleep
        self._renewing = renewing
        self._mine = Holder.this_process()
        self._locks = "://" not in storage.root
        self._taken = False
        """Whether ``driver.json`` may be this driver's."""
        self._other: Holder | None = None
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.release()
        except StorageError as refused:  # what the job came to matters more; the next driver sees it ended
            self._tell(str(refused))

    def look(self) -> None:
        """Find out, before anything slow is started, whether a process of this machine holds the lease.

        Raises:
            RunError: it does.
            StorageError: the storage refused.
        """
        holder = self._read()
        if holder is not None and holder.place == self._mine.place and not holder.is_over():
            raise self._refusal(holder)

    def take(self) -> None:
        """Take the lease, from a holder that has died, too.

        Raises:
            RunError: another driver runs the job.
            StorageError: the storage refused.
        """
        self._taken = True  # from the first write on: whoever is interrupted gives it back
        self._take_when_free()
        if not self._locks:
            self._sleep(SETTLE_S)
        holder = self._read()
        if holder is None or holder.token != self._mine.token:
            raise self._refusal(holder)
        if self._renewing:
            self._thread.start()

    def renew(self) -> None:
        """Show that this driver is alive, or find out that another has taken its place.

        Raises:
            StorageError: the storage refused.
        """
        with self._locked():
            holder = self._read()
            if holder is not None and holder.token != self._mine.token:
                self._other = holder
                return
            self._mine = self._mine.model_copy(
                update={"beat": self._mine.beat + 1, "renewed_at": time.time()}
            )
            self._write()

    def check(self) -> None:
        """Nothing, while the lease is held.

        Raises:
            RunError: another driver has taken it.
        """
        if self._other is not None:
            raise RunError(
                f"{self._storage}: this driver did not show up for too long, and another has taken the job "
                f"over ({self._other}): the trials here were ended; what they had written stays"
            )

    def release(self) -> None:
        """Give the lease back, if it was taken and still is this driver's.

        Raises:
            StorageError: the storage refused.
        """
        self._leaving.set()
        if self._thread.is_alive():
            self._thread.join(driver.RENEW_S)
        if self._taken:
            self._taken = False
            with self._locked():
                holder = self._read()
                if holder is not None and holder.token == self._mine.token:
                    self._storage.delete(JobDir.DRIVER)

    def _take_when_free(self) -> None:
        watched: Holder | None = None
        waited = 0.0
        while True:
            with self._locked():
                holder = self._read()
                if holder is None or holder.is_over() or (holder == watched and waited >= driver.WATCH_S):
                    self._write()
                    return
            if holder.place == self._mine.place or watched not in (None, holder):
                raise self._refusal(holder)
            if watched is None:
                self._tell(
                    f"{self._storage}: held by {holder}; "
                    f"watching for up to {driver.WATCH_S:.0f} s whether it is alive"
                )
            watched = holder
            self._sleep(LOOK_S)
            waited += LOOK_S

    def _refusal(self, holder: Holder | None) -> RunError:
        who = holder or "a driver that has left again"
        return RunError(
            f"{self._storage}: this job is being run by {who}; `gandist status {self._storage}` shows how it "
            "goes; to take it over stop that process, then run this again"
        )

    def _keep(self) -> None:
        while self._other is None and not self._leaving.wait(driver.RENEW_S):
            try:
                self.renew()
            except StorageError:
                continue  # whether it is back, or who else was faster, the next renewal finds out

    def _read(self) -> Holder | None:
        return read_holder(self._storage)

    def _write(self) -> None:
        self._storage.write(JobDir.DRIVER, documents.to_json(self._mine))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other drivers out, where the file system can."""
        if not self._locks:
            yield
            return
        try:
            Path(self._storage.root).mkdir(parents=True, exist_ok=True)
            directory = os.open(self._storage.root, os.O_RDONLY)
        except OSError as error:
            raise StorageError(f"{self._storage}: cannot be opened: {error.strerror}") from error
        try:
            try:
                fcntl.flock(directory, fcntl.LOCK_EX)
            except OSError:  # NFS locks no directory: like an object storage from here on
                self._locks = False
            yield
        finally:
            os.close(directory)

"""Who runs a job, ``driver.json``, and whether that driver still lives."""

from __future__ import annotations

import datetime
import os
import platform
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from gandist.artifacts import documents
from gandist.artifacts.documents import Count, DocumentError, Line, Time
from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.storage import Storage
from gandist.errors import NotAFileError

RENEW_S = 5.0
"""How often a driver shows that it is alive."""
WATCH_S = 30.0
"""A holder on another machine that does not renew for so long is taken for dead."""


class Holder(BaseModel):
    """Who runs the job; ``driver.json``."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    token: Line = ""
    """Of one driver, never used again."""
    host: Line = "an unknown host"
    place: Line = ""
    """Where ``pid`` means the same process; see ``place()``."""
    pid: Annotated[int, Field(ge=0, lt=2**31)] = 0
    process: Line = ""
    """When the process began: an id is given again to another process."""
    started_at: Time = 0.0
    """Unix time, for people only: two machines' clocks are never compared."""
    beat: Count = 0
    """Renewals so far."""
    renewed_at: Time = 0.0
    """Unix time of the last one."""

    def __str__(self) -> str:
        since = datetime.datetime.fromtimestamp(self.started_at, datetime.UTC)
        return f"process {self.pid} on {self.host}, since {since:%Y-%m-%d %H:%M:%S} UTC"

    @classmethod
    def this_process(cls) -> Holder:
        """A new holder."""
        return cls(
            token=uuid.uuid4().hex,
            host=platform.node(),
            place=place(),
            pid=os.getpid(),
            process=process_start(os.getpid()) or "",
            started_at=time.time(),
            renewed_at=time.time(),
        )

    def is_over(self) -> bool:
        """Whether its process is known to have ended; False also where that cannot be told from here."""
        if self.place != place():
            return False
        start = process_start(self.pid)
        return start is None or ("" not in (start, self.process) and start != self.process)


def read_holder(storage: Storage) -> Holder | None:
    """Who runs the job in ``storage``, or has died while running it; None where nobody does.

    Raises:
        StorageError: the storage refused.
    """
    try:
        return documents.read_json(Holder, storage.read(JobDir.DRIVER, documents.MAX_BYTES))
    except FileNotFoundError:
        return None
    except (DocumentError, NotAFileError):
        return Holder()  # of some other making: watched like any holder elsewhere


def living(
    storages: Sequence[Storage],
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.time,
) -> list[Holder | None]:
    """Who runs each of some jobs now; None where nobody does.

    A holder of this machine lives with its process, one elsewhere as long as it renews its lease. Clocks only
    spare the wait: one that has renewed just now need not be seen doing it.

    Raises:
        StorageError: a storage refused.
    """
    first = [read_holder(storage) for storage in storages]
    here = place()
    in_doubt = [
        holder is not None and holder.place != here and not 0 <= now() - holder.renewed_at < WATCH_S
        for holder in first
    ]
    if any(in_doubt):
        sleep(2 * RENEW_S)
    return [
        None
        if holder is None or holder.is_over() or (doubtful and read_holder(storage) == holder)
        else holder
        for storage, holder, doubtful in zip(storages, first, in_doubt, strict=True)
    ]


def place() -> str:
    """Names what a process id is valid in: this boot of this machine, and this container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:  # no Linux
        return platform.node()


def process_start(pid: int) -> str | None:
    """When a process of this place began, in the kernel's own count; None if there is no such process.

    Empty where the system does not say.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:  # there, and another user's
        pass
    try:
        # The name, in parentheses, may hold spaces and parentheses itself.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return None if fields[0] in "ZX" else fields[19]  # a zombie has ended, though nobody has asked how

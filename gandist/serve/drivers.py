"""Who runs a job, seen again and again: a lease that is not renewed belongs to a driver that is gone."""

from __future__ import annotations

import time
from collections.abc import Callable

from gandist.artifacts.driver import WATCH_S, Holder, place, read_holder
from gandist.artifacts.storage import Storage


class Drivers:
    """Looks at ``driver.json`` without ever waiting for the next renewal, as ``driver.living`` does.

    Args:
        now: a clock that never goes back, in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._seen: dict[str, tuple[Holder, float]] = {}
        """By the job's directory: the holder, and when it was first seen like that."""

    def see(self, storage: Storage) -> Holder | None:
        """Who runs the job in ``storage``; None where nobody does. One on another machine has ``WATCH_S``.

        Raises:
            StorageError: the storage refused.
        """
        holder = read_holder(storage)
        if holder is None or holder.is_over():
            self._seen.pop(storage.root, None)
            return None
        if holder.place == place():
            return holder
        before = self._seen.get(storage.root)
        if before is None or before[0] != holder:
            self._seen[storage.root] = before = holder, self._now()
        return holder if self._now() - before[1] < WATCH_S else None

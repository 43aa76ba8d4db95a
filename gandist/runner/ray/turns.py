"""Whose turn it is to place trials: the drivers of one cluster let those of higher priority go first.

A driver whose trials wait for a place says so in the cluster's key-value store, and one of lower priority
that reads it places nothing, and gives back each place that becomes free. What runs is left to run.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from gandist.printable import printable
from gandist.runner.events import Notice

LOOK_S = 2.0
SILENT_S = 15.0
"""Without a sign of life, until a driver that waits is taken for dead."""
TIMEOUT_S = 1.0
"""For each question to the cluster's head, which may be about to be started anew."""
NAMESPACE, PREFIX = b"gandist", b"waiting:"


class Turns:
    """The turns of one driver.

    Args:
        job: its name, for the others.
        priority: the higher goes first.
        store: with Ray's key-value store; None = the client of the cluster that this process is connected to.
        clock: seconds, from wherever.
    """

    def __init__(
        self, job: str, priority: int, store: Any = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        from ray.exceptions import RayError
        from ray.experimental.internal_kv import internal_kv_get_gcs_client

        self._store, self._clock = store or internal_kv_get_gcs_client(), clock
        self._refused = RayError
        self._key = PREFIX + uuid.uuid4().hex.encode()
        self._says = {"job": job, "priority": priority}
        self._priority = priority
        self._beat = 0
        self._waits = False
        self._looked: float | None = None
        self._seen: dict[bytes, tuple[bytes, float]] = {}
        """What others said last, and since when."""
        self.yielding = False
        """Whether a driver of higher priority waits for places."""

    def look(self, waits: Callable[[], bool]) -> list[Notice]:
        """Tell the others how this driver stands, and see how they do, now and then.

        Args:
            waits: whether it has trials that could be placed, and no place for them.

        Returns:
            what a person should know.
        """
        now = self._clock()
        if self._looked is not None and now - self._looked < LOOK_S:
            return []
        self._looked = now
        try:
            self._say(waits())
            ahead = self._ahead(now)
        except self._refused:  # whether the head comes back is another's to watch
            return []
        if self.yielding == bool(ahead):
            return []
        self.yielding = bool(ahead)
        if ahead:
            return [Notice(f"no new trials for now: {ahead} waits for places, and has a higher priority")]
        return [Notice("nobody of higher priority waits any more: trials are placed again")]

    def leave(self) -> None:
        """Nothing of this driver is waiting any more."""
        with suppress(self._refused):
            self._say(False)

    def _say(self, waits: bool) -> None:
        if waits:
            self._beat += 1
            value = json.dumps({**self._says, "beat": self._beat}).encode()
            self._store.internal_kv_put(self._key, value, True, NAMESPACE, TIMEOUT_S)
        elif self._waits:
            self._store.internal_kv_del(self._key, False, NAMESPACE, TIMEOUT_S)
        self._waits = waits

    def _ahead(self, now: float) -> str:
        """The job of a driver of higher priority that waits; empty where there is none."""
        keys = set(self._store.internal_kv_keys(PREFIX, NAMESPACE, TIMEOUT_S)) - {self._key}
        said = {key: self._store.internal_kv_get(key, NAMESPACE, TIMEOUT_S) for key in keys}
        before, self._seen = self._seen, {}
        ahead = []
        for key, value in said.items():
            was, since = before.get(key, (None, now))
            self._seen[key] = (value or b"", since if was == value else now)
            if now - self._seen[key][1] >= SILENT_S:
                self._store.internal_kv_del(key, False, NAMESPACE, TIMEOUT_S)
                continue
            job, priority = _parsed(value)
            if priority > self._priority:
                ahead.append((priority, job))
        return max(ahead)[1] if ahead else ""


def _parsed(value: bytes | None) -> tuple[str, float]:
    """The job and its priority; below all others where nothing can be made of it."""
    try:
        said = json.loads(value or b"")
        return printable(said["job"], 100), float(said["priority"])
    except (ValueError, KeyError, TypeError):
        return "", float("-inf")

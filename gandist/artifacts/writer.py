"""Writes in the background: whoever has something to save hands it over and goes on."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

from gandist.activity import Activity, Tell, silent

MAX_BYTES = 512 * 2**20
MAX_TASKS = 1000
LEAVE_S = 10.0
"""How long a write that is under way may still take when the rest is abandoned."""


class _AbandonedError(Exception):
    """Ends a wait for the storage when nobody wants the result any more."""


class Writer:
    """Runs tasks one after another, in the order of their submission, in a thread of its own.

    A context manager: left in peace it finishes everything; left by an exception it abandons what has not
    begun. After a task has failed the ones behind it are dropped, for they may rely on it.

    Attributes:
        tell: told, from any thread, of each write that is done while ``submit`` or ``flush`` waits, and of
            waits for a storage that refuses.

    Args:
        max_bytes: that may wait to be written; then ``submit`` waits. A task larger than that waits alone.
        max_tasks: likewise.
    """

    def __init__(self, max_bytes: int = MAX_BYTES, max_tasks: int = MAX_TASKS) -> None:
        self.tell: Tell = silent
        self._max_bytes, self._max_tasks = max_bytes, max_tasks
        self._queue: deque[tuple[Callable[[], None], int]] = deque()
        """Tasks and their bytes; the first is the one under way."""
        self._failure: BaseException | None = None
        self._changed = threading.Condition()
        self._abandoned = threading.Event()
        # A daemon: a process that must end does not wait for a storage that refuses.
        self._thread = threading.Thread(target=self._work, name="gandist-writer", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.flush()
        finally:
            self._abandoned.set()
            with self._changed:
                self._changed.notify_all()
            self._thread.join(LEAVE_S)

    def submit(self, task: Callable[[], None], size: int = 0) -> None:
        """Queue ``task``; waits while too much is queued.

        Args:
            task: what to do. What it refers to must not change any more.
            size: bytes that it holds in memory until it is done.

        Raises:
            BaseException: whatever an earlier task failed with, such as a ``StorageError``.
        """
        with self._changed:
            self._wait(lambda: self._has_room(size))
            self._queue.append((task, size))
            self._changed.notify_all()

    def flush(self) -> None:
        """Wait until everything submitted is done.

        Raises:
            BaseException: whatever a task failed with.
        """
        with self._changed:
            self._wait(lambda: not self._queue)

    @property
    def is_full(self) -> bool:
        """Whether ``submit`` would wait, whatever the size."""
        with self._changed:
            return not self._has_room(0)

    def pause(self, seconds: float) -> None:
        """Sleep, for a task that waits for its storage; ends the task where it is abandoned meanwhile."""
        self.tell(Activity("waiting for the storage, which refuses"))
        if self._abandoned.wait(seconds):
            raise _AbandonedError

    def _has_room(self, size: int) -> bool:
        waiting = sum(bytes_ for _, bytes_ in self._queue)
        return not self._queue or (len(self._queue) < self._max_tasks and waiting + size <= self._max_bytes)

    def _wait(self, ready: Callable[[], bool]) -> None:
        """Until ``ready``, with the lock held; tells of what is done meanwhile."""
        first = len(self._queue)
        while self._failure is None and not ready():
            self._changed.wait()
            self.tell(Activity("writing files", first - len(self._queue), first))
        if self._failure is not None:
            raise self._failure

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._abandoned.is_set())
                if self._abandoned.is_set():
                    return
                task, _ = self._queue[0]
            try:
                task()
            except BaseException as error:  # noqa: BLE001 - it is raised where the task came from
                self._fail(error)
                return
            del task  # and with it what it holds, before the next wait
            with self._changed:
                self._queue.popleft()
                self._changed.notify_all()

    def _fail(self, error: BaseException) -> None:
        with self._changed:
            self._failure = error
            self._queue.clear()
            self._changed.notify_all()

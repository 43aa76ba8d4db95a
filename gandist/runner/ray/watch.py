"""Whether the Ray that a driver is connected to still answers; Ray's calls mostly do not say so."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gandist.errors import RunError

LOOK_S = 2.0
OWN_S = 4.0
"""Without an answer, until a process of this machine is taken for dead: it does not come back."""
HEAD_S = 35.0
"""The same for a cluster's head, which may be started anew. After 60 s Ray ends this process."""
LAST_S = 20.0
"""After that, for whatever hangs in Ray."""


class Watch:
    """Connects again and again to what must answer.

    Args:
        where: Ray, as a person knows it.
        connect: raises ``OSError`` where no one answers at an address within so many seconds.
        clock: seconds, from wherever.
    """

    def __init__(
        self,
        where: str,
        connect: Callable[[tuple[str, int], float], object] = lambda address, timeout_s: (
            socket.create_connection(address, timeout_s).close()
        ),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._where = where
        self._connect = connect
        self._clock = clock
        self._watched: list[tuple[str, tuple[str, int], float]] = []
        self._silent_since: dict[str, float] = {}
        self._dead = ""

    def add(self, what: str, address: str, patience_s: float) -> None:
        """Watch ``what`` at ``host:port``, too; it is dead once it was silent for ``patience_s``."""
        host, _, port = address.rpartition(":")
        self._watched.append((what, (host.strip("[]"), int(port)), patience_s))

    def look(self) -> None:
        """Ask each once."""
        for what, address, patience_s in list(self._watched):
            try:
                self._connect(address, LOOK_S)
            except OSError:
                since = self._silent_since.setdefault(what, self._clock())
                if self._clock() - since >= patience_s:
                    self._dead = self._dead or what
            else:
                self._silent_since.pop(what, None)

    @property
    def error(self) -> RunError | None:
        """What is to be said once something is dead."""
        if not self._dead:
            return None
        return RunError(
            f"{self._where}: {self._dead} answers no more, killed or crashed; the same command goes on from "
            "the last checkpoints"
        )

    def check(self) -> None:
        """Nothing, while all answer.

        Raises:
            RunError: something is dead.
        """
        if error := self.error:
            raise error

    @contextmanager
    def running(self, end: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Look all the time, in a thread. Where Ray holds up this process after its death, end it.

        Args:
            end: called before that: ends the processes that nobody else would end.
        """
        leaving = threading.Event()

        def keep_looking() -> None:
            while not leaving.wait(LOOK_S):
                self.look()
                if self._dead:
                    if not leaving.wait(LAST_S):
                        print(self.error, file=sys.stderr, flush=True)
                        end()
                        # Nothing else gets the main thread out of Ray, which does the same after 60 s.
                        os._exit(1)
                    return

        thread = threading.Thread(target=keep_looking, name="watch", daemon=True)
        thread.start()
        try:
            yield
        finally:
            leaving.set()

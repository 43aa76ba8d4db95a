"""The processes that a Ray of this process' own consists of: none is left behind, however Ray has ended."""

from __future__ import annotations

import ctypes
import sys
from typing import Any

LEAVE_S = 3.0
"""For processes that Ray has told to end; what is still there then is killed."""
_PR_SET_CHILD_SUBREAPER = 36


class Started:
    """What this process has started since this was made, and what that has started.

    Orphans as well, on Linux: Ray's workers, once its raylet is dead.
    """

    def __init__(self) -> None:
        import psutil  # Ray brings it along, so it is there once ray is imported

        self._psutil = psutil
        self._this = psutil.Process()
        self._before = set(self._this.children(recursive=True))
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def end(self, leave_s: float = LEAVE_S) -> None:
        """Wait ``leave_s`` seconds for all to leave by themselves, then kill what is still there."""
        _, alive = self._psutil.wait_procs(self._found(), timeout=leave_s)
        for _ in range(3):  # what is killed may just have started more
            if not alive:
                return
            for process in alive:
                try:
                    process.kill()
                except self._psutil.NoSuchProcess:
                    continue
            self._psutil.wait_procs(alive, timeout=LEAVE_S)
            alive = self._found()

    def _found(self) -> list[Any]:
        dead = self._psutil.STATUS_ZOMBIE
        found = [process for process in self._this.children(recursive=True) if process not in self._before]
        return [process for process in found if process.is_running() and process.status() != dead]

"""For how long, and how often, a storage that refuses is asked again."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from gandist.errors import StorageError
from gandist.printable import one_line

T = TypeVar("T")

GIVE_UP_S = 180.0
"""For a write: a disk that is full, a server that restarts. Losing a trial costs more than waiting."""
READ_GIVE_UP_S = 20.0
"""For a read: someone is mostly waiting for the answer."""
FIRST_DELAY_S = 0.25
MAX_DELAY_S = 10.0

_BAD_PATH = {
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EEXIST,
    errno.ENOTEMPTY,
    errno.ENAMETOOLONG,
    errno.ELOOP,
    errno.EINVAL,
}
_DENIED = ("ACCESS_DENIED", "INVALID_ACCESS_KEY_ID", "SIGNATURE_DOES_NOT_MATCH", "NO_SUCH_BUCKET")
"""An object store's words for a refusal that does not pass; pyarrow gives them as text, without a number."""


@dataclass(frozen=True)
class Retry:
    """Calls an operation until it succeeds, with delays that double.

    Args:
        write_s: for how long a write is tried.
        read_s: for how long a read is tried.
        denied_s: at most that long where permissions are missing: nothing to wait for when a person has just
            named the wrong place, a passing trouble for a trial that has trained for hours.
        clock: seconds, from wherever.
        sleep: waits so many seconds.
    """

    write_s: float = GIVE_UP_S
    read_s: float = READ_GIVE_UP_S
    denied_s: float = 0.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep

    def __call__(self, operation: Callable[[], T], what: str, limit_s: float) -> T:
        """What ``operation`` returns. It may be begun several times, so it must bear that.

        Args:
            operation: what to do.
            what: it failed at, for the error: ``/data/job: cannot be written``.
            limit_s: how long it may go on failing.

        Raises:
            StorageError: the path is wrong, or the storage has refused for too long.
        """
        began = self.clock()

        def patience_s(error: OSError) -> float:
            if _is_bad_path(error):
                return 0.0
            return min(self.denied_s, limit_s) if _is_denied(error) else limit_s

        try:
            return self.persist(operation, patience_s)
        except OSError as error:
            if _is_bad_path(error):
                raise StorageError(f"{what}: {one_line(error)}; check the path") from error
            waited_s = self.clock() - began
            tried = f" (tried for {waited_s:.0f} s)" if waited_s >= 1 else ""
            raise StorageError(
                f"{what}: {one_line(error)}{tried}; check the storage's space, permissions and "
                "connection, then run the same command again"
            ) from error

    def persist(
        self,
        operation: Callable[[], T],
        patience_s: Callable[[OSError], float],
        waits: Callable[[OSError, float], object] = lambda *_: None,
    ) -> T:
        """What ``operation`` returns. It may be begun several times, so it must bear that.

        Args:
            operation: what to do.
            patience_s: seconds from the first attempt, after which an error of that kind is final.
            waits: told of an error that may pass, and of the seconds until the next attempt.

        Raises:
            OSError: the last one.
        """
        began, delay_s = self.clock(), FIRST_DELAY_S
        while True:
            try:
                return operation()
            except OSError as error:
                left_s = patience_s(error) - (self.clock() - began)
                if left_s <= 0:
                    raise
                waits(error, min(delay_s, left_s))
            self.sleep(min(delay_s, left_s))
            delay_s = min(2 * delay_s, MAX_DELAY_S)


def passes(error: OSError) -> bool:
    """Whether what the operating system says may be otherwise another time."""
    return error.errno is not None and not _is_bad_path(error) and not _is_denied(error)


def _is_bad_path(error: OSError) -> bool:
    # pyarrow gives no number where a directory is opened for reading.
    return error.errno in _BAD_PATH or str(error).endswith("is a directory")


def _is_denied(error: OSError) -> bool:
    return isinstance(error, PermissionError) or any(word in str(error) for word in _DENIED)

"""Retries: how often, how long, and what is not worth one."""

from __future__ import annotations

import errno
import pickle

import pytest

from gandist.artifacts.retry import GIVE_UP_S, MAX_DELAY_S, READ_GIVE_UP_S, Retry
from gandist.errors import StorageError
from tests.artifacts.faulty import Clock

FULL = OSError(errno.ENOSPC, "No space left on device")


class Operation:
    """Fails with each of ``errors``, then with the last one for ever, or succeeds if that is None."""

    def __init__(self, *errors: Exception | None) -> None:
        self.errors, self.calls = errors, 0

    def __call__(self) -> str:
        error = self.errors[min(self.calls, len(self.errors) - 1)]
        self.calls += 1
        if error is not None:
            raise error
        return "done"


def test_what_succeeds_is_called_once() -> None:
    clock, operation = Clock(), Operation(None)
    assert Retry(clock=clock, sleep=clock.sleep)(operation, "x", 180) == "done"
    assert (operation.calls, clock.slept) == (1, [])


def test_delays_double_up_to_a_limit_and_are_always_the_same() -> None:
    clock, operation = Clock(), Operation(*[FULL] * 8, None)
    assert Retry(clock=clock, sleep=clock.sleep)(operation, "x", 180) == "done"
    assert clock.slept == [0.25, 0.5, 1, 2, 4, 8, MAX_DELAY_S, MAX_DELAY_S]


def test_it_gives_up_at_the_limit_in_one_line_that_says_what_how_long_and_what_to_do() -> None:
    clock, operation = Clock(), Operation(FULL)
    with pytest.raises(StorageError) as raised:
        Retry(clock=clock, sleep=clock.sleep)(operation, "/data/x: cannot be written", 180)
    assert clock.now == 180
    assert operation.calls == len(clock.slept) + 1
    text = str(raised.value)
    assert text.startswith(
        "/data/x: cannot be written: [Errno 28] No space left on device (tried for 180 s); "
    )
    assert text.endswith("then run the same command again")
    assert "\n" not in text


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EROFS, "Read-only file system"),
        OSError(errno.EIO, "Input/output error"),
        OSError(errno.ESTALE, "Stale file handle"),
        ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"),
        TimeoutError("timed out"),
        OSError("AWS Error SLOW_DOWN during PutObject operation: Please reduce your request rate."),
        OSError("When initiating multiple part upload: AWS Error NETWORK_CONNECTION\nand more"),
    ],
)
def test_what_may_pass_is_waited_for(error: OSError) -> None:
    clock, operation = Clock(), Operation(error, error, None)
    assert Retry(clock=clock, sleep=clock.sleep)(operation, "x", 180) == "done"
    assert operation.calls == 3


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(errno.ENOENT, "No such file or directory"),
        NotADirectoryError(errno.ENOTDIR, "Not a directory"),
        IsADirectoryError(errno.EISDIR, "Is a directory"),
        FileExistsError(errno.EEXIST, "File exists"),
        OSError(errno.ENAMETOOLONG, "File name too long"),
        OSError("Cannot open for reading: path '/data' is a directory"),
    ],
)
def test_a_wrong_path_is_told_at_once(error: OSError) -> None:
    clock, operation = Clock(), Operation(error)
    with pytest.raises(StorageError, match="check the path"):
        Retry(clock=clock, sleep=clock.sleep)(operation, "x", 180)
    assert (operation.calls, clock.slept) == (1, [])


DENIALS = [
    PermissionError(errno.EACCES, "Permission denied"),
    PermissionError(errno.EPERM, "Operation not permitted"),
    OSError("When reading object 'x': AWS Error ACCESS_DENIED during HeadObject operation"),
]


@pytest.mark.parametrize("error", DENIALS)
def test_a_denial_is_told_at_once_to_a_person(error: OSError) -> None:
    clock, operation = Clock(), Operation(error)
    with pytest.raises(StorageError) as raised:
        Retry(clock=clock, sleep=clock.sleep)(operation, "x", 180)
    assert (operation.calls, clock.slept) == (1, [])
    assert "tried for" not in str(raised.value)


@pytest.mark.parametrize("error", DENIALS)
def test_a_denial_is_waited_for_by_a_trial(error: OSError) -> None:
    clock, operation = Clock(), Operation(error)
    with pytest.raises(StorageError, match="tried for 100 s"):
        Retry(denied_s=100, clock=clock, sleep=clock.sleep)(operation, "x", 180)
    with pytest.raises(StorageError, match="tried for 20 s"):
        Retry(denied_s=100, clock=clock, sleep=clock.sleep)(operation, "x", 20)


def test_what_is_no_refusal_of_the_storage_passes_through() -> None:
    clock, operation = Clock(), Operation(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        Retry(clock=clock, sleep=clock.sleep)(operation, "x", 180)
    assert operation.calls == 1


def test_the_policy_survives_pickling() -> None:
    copy = pickle.loads(pickle.dumps(Retry()))  # noqa: S301
    assert copy == Retry()
    assert (copy.write_s, copy.read_s) == (GIVE_UP_S, READ_GIVE_UP_S)

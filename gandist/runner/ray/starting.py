"""Starting Ray, or connecting to one that runs: whatever goes wrong becomes one line that says what to do."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable
from typing import Any

from gandist.errors import RunError, UsageError
from gandist.printable import one_line
from gandist.runner import interrupts
from gandist.runner.ray import auth

SHUT_DOWN_S = 12.0
"""Without its head it takes 7 s."""
SIGNALS_S = 0.002
LOCAL = "--local runs the same trials without Ray, one after another"
_NUMBER = re.compile(r"RAY_\w+_(ms|s|seconds|milliseconds|bytes|mb|threshold|count|size|num)", re.IGNORECASE)
_VERSIONS = re.compile(r"Ray: (\S+)\s+Python: (\S+)")

_ray_starts = threading.Event()
"""Set while what this process forks is Ray's."""


def _leave_group() -> None:
    if _ray_starts.is_set():
        os.setpgrp()


# A terminal that is closed and `timeout` signal all processes of a group. This process then has its trials
# stop at a checkpoint, for which Ray must be there. Ray forks in a way that these hooks see.
os.register_at_fork(after_in_child=_leave_group)


def start(address: str, **options: Any) -> None:
    """``ray.init`` as it should be: it gives the signals back, and raises one kind of error.

    Raises:
        RunError: it did not work.
        Interrupted: a signal has come.
    """
    import ray

    _ray_starts.set()
    try:
        with interrupts.at_once():
            try:
                ray.init(
                    address=address,
                    job_config=_without_code(),
                    log_to_driver=False,
                    logging_level="ERROR",
                    **options,
                )
            except SystemExit as left:  # what Ray answers to SIGTERM, with the signal as its code
                interrupts.arrived(int(left.code or 0))
                raise
            finally:
                interrupts.take_back()
                _ray_starts.clear()
    except Exception as error:  # plain ones, too
        raise RunError(f"{where(address)}: {trouble(error, own=address == 'local')}") from error


def _without_code() -> Any:
    """A job whose workers import what is installed: Ray puts the driver's directories first on their path.

    It leaves them out where a job brings a working directory of its own, and has no other way to be told.
    """
    from ray.job_config import JobConfig

    config = JobConfig()
    config._runtime_env_has_working_dir = lambda: True
    return config


def start_own(num_cpus: int | None, tell: Callable[[str], None], end_started: Callable[[], None]) -> None:
    """Start a Ray on this machine, twice where the first did not come to life.

    Args:
        num_cpus: its CPUs; None = the machine's.
        tell: takes a line for a person who waits.
        end_started: ends what a start that failed has left behind.

    Raises:
        UsageError: the environment holds a setting that Ray would crash on.
        RunError: it did not start.
    """
    refuse_settings()
    for tries_left in (1, 0):
        try:
            start("local", num_cpus=num_cpus, include_dashboard=False)
        except RunError as error:
            end_started()
            if not tries_left or not _may_pass(error.__cause__):
                raise
            tell(f"Ray did not start ({one_line(error.__cause__)}); once more")
        else:
            return


def _may_pass(error: BaseException | None) -> bool:
    """Whether another start could end better: not where a file or a value is wrong."""
    passing = isinstance(error, ConnectionError | TimeoutError)
    return passing or not isinstance(error, OSError | ValueError | LookupError | TypeError)


def shut_down() -> None:
    """``ray.shutdown``, for so long at most, and with the signals kept.

    Ray makes SIGTERM deadly when it shuts down, and goes on for seconds. Handlers can only be set in the main
    thread, so that is where they are set again, while another does the rest.
    """
    import ray

    ending = threading.Thread(target=ray.shutdown, name="ray.shutdown", daemon=True)
    ending.start()
    give_up = time.monotonic() + SHUT_DOWN_S
    while ending.is_alive() and time.monotonic() < give_up:
        ending.join(SIGNALS_S)
        interrupts.take_back()
    interrupts.take_back()


def where(address: str) -> str:
    """Which Ray, for the beginning of a line."""
    return "Ray on this machine" if address in ("", "local") else f"RAY_ADDRESS={address}"


def refuse_settings() -> None:
    """Of what the environment sets for Ray, the numbers that are none: Ray's own answer is a crash.

    Raises:
        UsageError: there is one.
    """
    for name, value in sorted(os.environ.items()):
        if _NUMBER.fullmatch(name) and not re.fullmatch(r"-?\d+(\.\d+)?", value.strip()):
            raise UsageError(f"{name}={value}: not a number; correct it, or unset it")


def trouble(error: BaseException, own: bool) -> str:
    """What ``error`` of Ray's means, and what to do; one line."""
    text = str(error)
    if why := auth.refused(text):
        return why
    if len(found := _VERSIONS.findall(text)) == 2:
        (ray, python), (my_ray, my_python) = found
        return (
            f"runs Ray {ray} with Python {python}, and this is Ray {my_ray} with Python {my_python}; install "
            "the cluster's versions here, or run this in the cluster's image"
        )
    if "AF_UNIX" in text:
        return f"its temporary directory's path is too long for sockets ({one_line(text)}); set RAY_TMPDIR"
    if isinstance(error, OSError) and error.filename is not None:
        return (
            f"cannot write to {error.filename} ({error.strerror}); set RAY_TMPDIR to a directory that can be "
            f"written, HOME too, or: {LOCAL}"
        )
    if not own:
        return f"cannot be used: {one_line(text)}"
    return f"did not start ({type(error).__name__}: {one_line(text)}); {LOCAL}"

"""What of a job directory nobody needs any more, and deleting it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.artifacts.statuses import Counts
from gandist.artifacts.trials import listed_trials, read_states
from gandist.runner.lease import Lease


@dataclass(frozen=True)
class Leftover:
    """What can go of one trial, or of one that was set aside.

    Attributes:
        where: its directory, from the job's.
        bytes: that it takes.
        checkpoints: steps of those of the trial's that can go; None: the whole directory can.
    """

    where: str
    bytes: int
    checkpoints: tuple[int, ...] | None = None

    def __str__(self) -> str:
        what = "" if self.checkpoints is None else ": " + _steps(self.checkpoints)
        return f"{self.where}{what}, {size(self.bytes)}"


def leftovers(job_dir: JobDir, *, all_checkpoints: bool = False) -> Iterator[Leftover]:
    """What was set aside, and of each finished trial the checkpoints that nothing goes back to.

    The newest one stays, from which more steps go on, and the best one. Trials that are not finished, or have
    failed and may be run again, keep all.

    Args:
        job_dir: the job.
        all_checkpoints: those two, too.

    Raises:
        NotAJobError: there is no job in that directory.
        StorageError: a state cannot be read, or the storage refused.
    """
    states = read_states(job_dir, listed_trials(job_dir))
    for name in job_dir.storage.list(JobDir.ASIDE):
        where = f"{JobDir.ASIDE}/{name}"
        yield Leftover(where, job_dir.storage.size(where))
    for trial, state in states.items():
        if not state.finished or state.meaning.counts is Counts.FAILURE:
            continue
        directory = job_dir.trial(trial)
        needed = set() if all_checkpoints else _needed(directory, state.best_step)
        gone = {step: path for step, path in directory.checkpoints() if step not in needed}
        if gone:
            yield Leftover(f"trials/{trial}", sum(map(directory.storage.size, gone.values())), tuple(gone))


def clear(
    job_dir: JobDir, tell: Callable[[str], None], *, all_checkpoints: bool = False
) -> Iterator[Leftover]:
    """Delete the ``leftovers``, and tell each when it is gone, while nobody else runs the job.

    Raises:
        RunError: somebody does.
        NotAJobError, StorageError: as ``leftovers``.
    """
    if not any(True for _ in leftovers(job_dir, all_checkpoints=all_checkpoints)):
        return
    with Lease(job_dir.storage, tell) as lease:
        lease.take()
        for leftover in list(leftovers(job_dir, all_checkpoints=all_checkpoints)):  # as they are by now
            lease.check()
            _delete(job_dir, leftover)
            yield leftover


def size(count: float) -> str:
    """Bytes for people: ``12.3 MB``."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.3g} TB"


def _delete(job_dir: JobDir, leftover: Leftover) -> None:
    if leftover.checkpoints is None:
        job_dir.storage.delete(leftover.where)
        return
    directory = job_dir.trial(leftover.where.removeprefix("trials/"))
    for step, path in directory.checkpoints():
        if step in leftover.checkpoints:
            directory.delete_checkpoint(path)


def _needed(directory: TrialDir, best_step: int | None) -> set[int | None]:
    """The steps of the newest finished checkpoint and of the best one."""
    finished = (step for step, path in reversed(directory.checkpoints()) if directory.has_checkpoint(path))
    return {next(finished, None), best_step}


def _steps(steps: tuple[int, ...]) -> str:
    some = ", ".join(f"{step:,}" for step in steps[:3])
    more = f" and {len(steps) - 3} more" if len(steps) > 3 else ""
    return f"checkpoint{'s' if len(steps) > 1 else ''} of step{'s' if len(steps) > 1 else ''} {some}{more}"

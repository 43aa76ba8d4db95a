"""What to say of trials that cannot be continued with what a job file asks for now."""

from __future__ import annotations

from collections.abc import Sequence

from gandist.artifacts.job_dir import JobDir
from gandist.spec.continuation import differences
from gandist.spec.job import TrialSpec

MAX_LINES = 20


def refusal(changed: Sequence[TrialSpec], job_dir: JobDir) -> str:
    """Why the ``changed`` trials cannot be continued, and what to do; lines.

    Raises:
        StorageError: the storage refused.
    """
    lines: list[str] = []
    first_of_each_config = {trial.config: trial for trial in reversed(changed)}
    for trial in reversed(first_of_each_config.values()):  # its other seeds differ alike
        if len(lines) > MAX_LINES:
            break
        before = job_dir.trial(trial.id).read_trial()
        found = differences(before, trial) if before else []
        lines += [f"  {trial.id}: {line}" for line in found or ["its trial.yaml does not say which"]]
    if len(lines) > MAX_LINES:
        lines[MAX_LINES:] = ["  ..."]
    others = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
    return "\n".join(
        [
            f"{changed[0].id}{others}: trained with other settings than the job has now:",
            *lines,
            f"give the job another name, or train anew with --fresh (which keeps what there is in "
            f"{job_dir.root}/{JobDir.ASIDE}/)",
        ]
    )

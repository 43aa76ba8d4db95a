"""What a job file asks of a trial now, against what the trial was trained with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gandist.artifacts.job_dir import JobDir
from gandist.overrides import BUDGETS, leaves
from gandist.spec import TrialSpec

MAY_CHANGE = {"samples", "checkpoint", "resources", *(f"training.{budget}" for budget in BUDGETS)}
"""Sections and fields that are no part of ``TrialSpec.identity()``."""
MAX_LINES = 20
NOT_SET = "(not set)"


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """``optimizer.learning_rate: 0.0002 -> 0.0001`` for each field that a trial may not change halfway."""
    was, asked = (
        {path: value for path, value in leaves(values) if MAY_CHANGE.isdisjoint((path, path.split(".")[0]))}
        for values in (before, now)
    )
    return [
        f"{path}: {was.get(path, NOT_SET)} -> {asked.get(path, NOT_SET)}"
        for path in dict.fromkeys([*was, *asked])
        if (path in was, was.get(path)) != (path in asked, asked.get(path))
    ]


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
        found = differences(before, trial.model_dump(mode="json")) if before else []
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

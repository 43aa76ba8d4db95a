"""How it is told that trials cannot be continued."""

from __future__ import annotations

import pytest

from gandist.artifacts.job_dir import JobDir
from gandist.runner.changes import MAX_LINES, refusal

from .conftest import make_job

A = "base-seed0"


def test_each_configuration_is_told_once_and_a_long_list_is_cut(job_dir: JobDir) -> None:
    configs = {f"c{i}": {"model.latent_dim": i + 1} for i in range(MAX_LINES + 5)}
    trials = make_job(seeds=2, configs=configs).trials
    for trial in trials:
        job_dir.trial(trial.id).write_trial(trial.model_dump(mode="json"))
    changed = make_job(seeds=2, configs=configs, optimizer={"learning_rate": 0.5}).trials
    lines = refusal(changed, job_dir).splitlines()
    assert lines[0].startswith(f"c0-seed0 and {len(trials) - 1} more: ")
    assert lines[1:3] == [
        f"  {trial}: optimizer.learning_rate: 0.0001 -> 0.5" for trial in ("c0-seed0", "c1-seed0")
    ]
    assert len(lines) == MAX_LINES + 3
    assert lines[-2] == "  ..."


@pytest.mark.parametrize("content", [None, b"- a list", b"{torn"])
def test_a_trial_without_its_settings_is_refused_all_the_same(job_dir: JobDir, content: bytes | None) -> None:
    if content is not None:
        job_dir.trial(A).storage.write("trial.yaml", content)
    assert "  base-seed0: its trial.yaml does not say which" in refusal(make_job(seeds=1).trials, job_dir)

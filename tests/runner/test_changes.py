"""What changed in a trial's settings, as it is told."""

from __future__ import annotations

from typing import Any

import pytest

from gandist.artifacts.job_dir import JobDir
from gandist.runner.changes import MAX_LINES, differences, refusal
from gandist.spec import expand

from .conftest import make_job

A = "base-seed0"


@pytest.mark.parametrize(
    ("fields", "lines"),
    [
        ({"samples": {"every_steps": 7, "rows": 2}}, []),
        ({"checkpoint": {"keep": 5}}, []),
        ({"resources": {"cpus": 2}}, []),
        ({"training": {"kimg": 2.5}}, []),
        ({"optimizer": {"learning_rate": 0.5}}, ["optimizer.learning_rate: 0.0001 -> 0.5"]),
        ({"training": {"epochs": 2, "generator_ema": 0.9}}, ["training.generator_ema: None -> 0.9"]),
        (
            {"data": {"name": "digits", "batch_size": 8}, "model": {"name": "dcgan", "latent_dim": 7}},
            ["data.batch_size: 256 -> 8", "model.latent_dim: 100 -> 7"],
        ),
    ],
)
def test_all_that_makes_a_trial_another_is_told_and_nothing_else(
    fields: dict[str, Any], lines: list[str]
) -> None:
    (before,) = expand(make_job(seeds=1))
    (now,) = expand(make_job(seeds=1, **fields))
    assert differences(before.model_dump(mode="json"), now.model_dump(mode="json")) == lines
    assert (before.identity() != now.identity()) == bool(lines)


def test_a_field_that_one_side_lacks_is_told() -> None:
    assert differences({"loss": {"name": "a", "old": 1}}, {"loss": {"name": "b", "new": None}}) == [
        "loss.name: a -> b",
        "loss.old: 1 -> (not set)",
        "loss.new: (not set) -> None",
    ]


def test_each_configuration_is_told_once_and_a_long_list_is_cut(job_dir: JobDir) -> None:
    configs = {f"c{i}": {"model.latent_dim": i + 1} for i in range(MAX_LINES + 5)}
    trials = expand(make_job(seeds=2, configs=configs))
    for trial in trials:
        job_dir.trial(trial.id).write_trial(trial.model_dump(mode="json"))
    changed = expand(make_job(seeds=2, configs=configs, optimizer={"learning_rate": 0.5}))
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
    assert "  base-seed0: its trial.yaml does not say which" in refusal(expand(make_job(seeds=1)), job_dir)
